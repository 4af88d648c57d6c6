import type { BackupRecord, Difference, TestRestore } from '@holdfast/core'
import type { Paint } from './colours.js'
import { counted } from './counted.js'
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
const failures = { 'assertion-failed': 'ASSERTION FAILED', differs: 'DIFFERS', failed: 'NOT RESTORED' } as const

/** What a test restore says against whole copies, in a word; `undefined` where it says nothing. */
export function failureOf({ test }: Pick<BackupRecord, 'test'>): string | undefined {
  return test && test.status !== 'proven' ? failures[test.status] : undefined
}

/** What a test restore found, in lines: the first says how it went, the others what there is to know. */
export function describeTest(test: TestRestore, paint: Paint, verbose: boolean): readonly string[] {
  const shown = verbose ? test.differences : test.differences.slice(0, differencesShown)
  const more = test.differences.length - shown.length
  return [
    verdict(test, paint),
    ...shown.map((difference) => `${paint.bad('differs:')} ${describeDifference(difference)}`),
    ...(more > 0 ? [paint.faint(`and ${more} more (--verbose shows them)`)] : []),
    ...test.failedAssertions.map(({ assertion, problem }) => {
      return `${paint.bad('does not hold:')} ${visible(`${assertion}: ${problem}`)}`
    }),
    ...test.notes.map((note) => `${paint.faint('note:')} ${visible(note)}`),
  ]
}

function verdict(test: TestRestore, paint: Paint): string {
  const took = `restored into a scratch database beside ${visible(test.on)} in ${formatDuration(test.restoreMs)}`
  if (test.status === 'failed') {
    return `${paint.bad('could not be restored')} into a scratch database beside ${visible(test.on)}: ${inOneLine(test.problem ?? 'no reason was given')}`
  }
  const compared = `${took}, ${counted(test.sections, 'section')} compared`
  if (test.status === 'proven') return `${paint.good('proven')}: ${compared}`
  if (test.status === 'differs')
    return `${paint.bad(`differs in ${counted(test.differences.length, 'place')}`)}: ${took}`
  const failed = `${counted(test.failedAssertions.length, 'assertion')} failed`
  return `${paint.bad(failed)}, but it came back as it was dumped: ${compared}`
}

/** What programs and servers say is often of several lines. */
function inOneLine(text: string): string {
  return visible(text.replace(/\s*[\r\n]+\s*/g, ' '))
}

/** `rows of public.orders: row 77 differs in column note`. */
function describeDifference({ section, problem }: Difference): string {
  return visible(`${section}: ${problem}`)
}
