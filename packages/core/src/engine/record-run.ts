import { messageOf } from '../backup-error.js'
import type { Catalog, RunRecord, RunStatus } from '../catalog/catalog.js'
import type { RunContext } from '../run-context.js'

/**
 * Does a task as a run of the catalog: its start, and how it ended.
 *
 * What was done stands, or has failed, whatever becomes of its row; a start that cannot be recorded keeps it from being
 * done.
 *
 * @param statusOf - How a task that returned has ended.
 */
export async function recordRun<Result>(
  run: Pick<RunRecord, 'id' | 'kind' | 'job' | 'startedAt'>,
  catalog: Catalog,
  ctx: RunContext,
  task: () => Promise<Result>,
  statusOf: (result: Result) => Exclude<RunStatus, 'running'>,
): Promise<Result> {
  const started = ctx.clock.monotonic()
  const finish = (status: Exclude<RunStatus, 'running'>, error?: string): Promise<void> => {
    const outcome = { status, endedAt: ctx.clock.now(), durationMs: ctx.clock.monotonic() - started }
    return catalog
      .finish(run.id, { ...outcome, ...(error !== undefined && { error }) })
      .catch((failure) => ctx.log.error(`The end of run ${run.id} was not recorded: ${messageOf(failure)}`))
  }
  await catalog.begin({ ...run, status: 'running' })
  try {
    const result = await task()
    await finish(statusOf(result))
    return result
  } catch (error) {
    await finish(ctx.signal.aborted ? 'aborted' : 'failed', messageOf(error))
    throw error
  }
}
