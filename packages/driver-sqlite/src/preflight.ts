import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  isBackupError,
  messageOf,
  type PreflightFindings,
  type PreflightProblem,
  type PreflightRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import type { BoundDatabase } from './bound-database.js'
import { cannotMake, fileOf, requireRoom } from './database-files.js'
import { lookAt } from './probe.js'
import { noTarget, requestProblems, roomFor } from './restore-rules.js'

/** {@link Driver.preflight} for SQLite. */
export async function findings(
  bound: BoundDatabase,
  from: RestoreSource,
  request: PreflightRequest,
  ctx: RunContext,
): Promise<PreflightFindings> {
  const path = await fileOf(bound.path)
  const target = await lookAt(path, ctx)
  const problems = [
    ...requestProblems(request),
    ...(!target && request.mode === 'clean' ? [noTarget(path)] : []),
    ...(await problemsBeside(path, roomFor(from, request.mode === 'staged' ? target : undefined))),
  ]
  return { problems, warnings: [] }
}

/** Whether a copy can be made beside the database. */
async function problemsBeside(path: string, bytes: number): Promise<readonly PreflightProblem[]> {
  const directory = dirname(path)
  try {
    await access(directory, constants.W_OK | constants.X_OK).catch((error) => {
      throw cannotMake(path, error)
    })
    await requireRoom(directory, bytes)
    return []
  } catch (error) {
    const hint = isBackupError(error) ? error.hint : undefined
    return [{ message: messageOf(error), ...(hint !== undefined && { hint }) }]
  }
}
