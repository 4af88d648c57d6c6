import { type Holdfast, messageOf } from '@holdfast/core'
import { exitCodes } from '../exit-codes.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatAge } from '../output/format-duration.js'
import { failureOf } from '../output/test-restore.js'
import { type Finding, good, problem, warning } from './finding.js'

/**
 * The last backup of a job: its age, and whether it was ever read back.
 *
 * @param firstBackup - What to do where there is none: a database of the command line is no job that could be named.
 */
export async function checkBackups(
  job: string,
  holdfast: Holdfast,
  signal: AbortSignal,
  firstBackup: string = `Run: holdfast backup ${job}`,
): Promise<readonly Finding[]> {
  const about = `backups of ${job}`
  try {
    const { backups, damaged } = await holdfast.list({ job, signal })
    const manifests = damaged.map(({ storage, problem: why }) =>
      problem(
        about,
        `${why} (on ${storage})`,
        'It counts as no backup. Look at what else wrote there.',
        exitCodes.damaged,
      ),
    )
    const [last] = backups
    if (!last) return [...manifests, warning(about, 'there is none yet', firstBackup)]
    const now = new Date()
    const whole = last.copies.filter(({ status }) => status === 'complete')
    const age = `the last one, ${last.shortId}, was taken ${formatAge(last.startedAt, now)} (${formatBytes(last.storedBytes)})`
    if (whole.length === 0) {
      const advice = `Run: holdfast verify ${last.shortId}, and take a new backup.`
      return [...manifests, problem(about, `${age}, and no copy of it is whole`, advice, exitCodes.damaged)]
    }
    const failure = failureOf(last)
    if (failure !== undefined) {
      const advice = `Run: holdfast show ${last.shortId}, and look why before you need it.`
      return [...manifests, problem(about, `${age}, and its test restore says ${failure}`, advice, exitCodes.damaged)]
    }
    const verified = last.verifiedAt
      ? good(about, `it was verified ${formatAge(last.verifiedAt, now)}`)
      : warning(about, 'it was never verified', `Run: holdfast verify ${last.shortId}`)
    return [...manifests, good(about, age), verified]
  } catch (error) {
    signal.throwIfAborted()
    return [warning(about, `cannot be listed: ${messageOf(error)}`, 'Correct the storages first.')]
  }
}
