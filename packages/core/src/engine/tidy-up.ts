import { messageOf } from '../backup-error.js'
import type { CopyOutcome, Layout } from '../layout/layout.js'
import { safeName } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import { backFill, type FilledCopy } from './back-fill.js'
import type { Job } from './job.js'

const dayMs = 24 * 60 * 60 * 1000
/** Age at which data without a manifest is taken for abandoned, and up to which a missing copy is filled in. */
const orphanGraceMs = 7 * dayMs
/** Age at which an upload that never finished is taken for abandoned. */
const unfinishedGraceMs = dayMs

/**
 * After a backup is safe: fills in copies that earlier runs owe, and removes what crashed runs left. The new backup
 * stands whatever happens here, so an error is a warning; an error while listing means that nothing is deleted.
 */
export async function tidyUp(
  job: Job,
  copies: readonly CopyOutcome[],
  layout: Layout,
  ctx: RunContext,
): Promise<readonly FilledCopy[]> {
  const now = ctx.clock.now().getTime()
  const usable = copies.filter(({ status }) => status === 'complete').map(({ storage }) => storage)
  const settle = async <Result>(what: string, task: () => Promise<Result>): Promise<Result | undefined> => {
    try {
      return await task()
    } catch (error) {
      if (!ctx.signal.aborted) ctx.log.warn(`${what}: ${messageOf(error)}`)
      return undefined
    }
  }
  const filled = await settle('Earlier copies were not filled in', () =>
    backFill(job.name, usable, new Date(now - orphanGraceMs), ctx),
  )
  for (const storage of usable) {
    await settle(`Nothing was cleaned up on ${storage.name}`, async () => {
      const swept = await layout.sweep(storage, { jobs: [job.name], before: new Date(now - orphanGraceMs) }, ctx)
      for (const key of swept.keys) ctx.log.info(`Removed ${key} from ${storage.name}: it never became a backup`)
      const unfinished = { before: new Date(now - unfinishedGraceMs), prefixes: [`${safeName(job.name)}/`] }
      await storage.sweepUnfinished?.(unfinished, ctx)
    })
  }
  return filled ?? []
}
