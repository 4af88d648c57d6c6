import type { BackupRecord, Difference, TestRestore } from '@holdfast/core'
import type { Paint } from './colours.js'
import { formatAge, formatDuration } from './format-duration.js'
import { visible } from './visible.js'

/** Differences that are shown without `--verbose`. */
const differencesShown = 20

/**
 * `3 h ago, restored`: when a backup was last found good, and how far the look went. What was found to be bad counts
 * for more.
 */
export function verifiedCell({ verifiedAt, test, copies }: BackupRecord, now: Date, paint: Paint): string {
  const damaged = copies.filter(({ status }) => status === 'corrupt')
  const known = damaged.flatMap((copy) => (copy.verifiedAt ? [copy.verifiedAt] : []))
  const latest = known.toSorted((a, b) => b.getTime() - a.getTime())[0]
  if (damaged.length > 0) return paint.bad(latest ? `DAMAGED, ${formatAge(latest, now)}` : 'DAMAGED')
  if (test && test.status !== 'proven') return paint.bad(`${failures[test.status]}, ${ageOf(test, now)}`)
  if (test) return `${ageOf(test, now)}, restored`
  return verifiedAt ? `${formatAge(verifiedAt, now)}, read` : paint.faint('never')
}

const ageOf = ({ testedAt }: TestRestore, now: Date): string => formatAge(new Date(testedAt), now)
const failures = { differs: 'DIFFERS', failed: 'NOT RESTORED' } as const

/** What a test restore found, in lines: the first says how it went, the others what there is to know. */
export function describeTest(test: TestRestore, paint: Paint, verbose: boolean): readonly string[] {
  const shown = verbose ? test.differences : test.differences.slice(0, differencesShown)
  const more = test.differences.length - shown.length
  return [
    verdict(test, paint),
    ...shown.map((difference) => `${paint.bad('differs:')} ${describeDifference(difference)}`),
    ...(more > 0 ? [paint.faint(`and ${more} more (--verbose shows them)`)] : []),
    ...test.notes.map((note) => `${paint.faint('note:')} ${visible(note)}`),
  ]
}

function verdict(test: TestRestore, paint: Paint): string {
  const took = `restored on ${test.on} in ${formatDuration(test.restoreMs)}`
  if (test.status === 'failed') {
    return `${paint.bad('could not be restored')} on ${test.on}: ${visible(test.problem ?? 'no reason was given')}`
  }
  const count = test.differences.length
  return test.status === 'proven'
    ? `${paint.good('proven')}: ${took}, ${test.sections} sections compared`
    : `${paint.bad(`differs in ${count} ${count === 1 ? 'place' : 'places'}`)}: ${took}`
}

/** `rows of public.orders: row 77 differs in column note`. */
function describeDifference({ section, problem }: Difference): string {
  return visible(`${section}: ${problem}`)
}
