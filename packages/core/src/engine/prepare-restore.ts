import { BackupError } from '../backup-error.js'
import type { DatabaseInfo, Driver, PreflightFindings, RestoreRequest } from '../driver/driver.js'
import type { Manifest } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import { holdsPart } from './dump-choice.js'
import { fromCopies } from './from-copies.js'
import { missingTables } from './missing-tables.js'
import type { RestoreCopy } from './restore-copy.js'
import { type ChosenWay, chooseWay, type WayRequest } from './restore-way.js'

/** What to restore, from where, into what. */
export interface RestorePlan {
  readonly manifest: Manifest
  /** In the order in which to try them. */
  readonly copies: readonly RestoreCopy[]
  readonly target: Driver
  /** Without a mode: see {@link RestoreWay}. */
  readonly request: Omit<RestoreRequest, 'mode'> & WayRequest
  /** For how long what is put aside is meant to be kept, where it is kept. */
  readonly keepMs: number
}

/** A restore about which all is known that can be known before it. */
export interface PreparedRestore extends RestorePlan, ChosenWay {
  /** The target as it is; `undefined` if it does not exist. */
  readonly database: DatabaseInfo | undefined
}

/**
 * Looks at the target and chooses how to restore into it.
 *
 * @throws {BackupError} `restore-refused`, `target-not-empty`, `config-invalid`.
 */
export async function prepareRestore(plan: RestorePlan, ctx: RunContext): Promise<PreparedRestore> {
  ctx.report({ type: 'stage', stage: 'preflight' })
  if (plan.target.unusable) throw plan.target.unusable
  requireSameEngine(plan)
  const { database } = await plan.target.probe(ctx)
  return {
    ...plan,
    database,
    ...chooseWay(plan.target, { ...plan.request, ofPart: holdsPart(plan.manifest) }, database),
  }
}

/** What the driver finds that would keep the restore from working. Nothing is touched. */
export async function lookBefore(prepared: PreparedRestore, ctx: RunContext): Promise<PreflightFindings> {
  const { target, copies, request, way, aside } = prepared
  const { assertions, mode, ...asked } = request
  const wanted = { ...asked, mode: aside || way === 'staged' || way === 'replace' ? 'staged' : way } as const
  const { tables } = asked
  if (!target.preflight && !tables) return { problems: [], warnings: [] }
  const ofCopies: string[] = []
  const look = async ({ source }: RestoreCopy): Promise<PreflightFindings> => {
    const found = (await target.preflight?.(source, wanted, ctx)) ?? { problems: [], warnings: [] }
    if (!tables || found.problems.length > 0) return found
    return { ...found, problems: await missingTables(target, source, tables, ctx) }
  }
  try {
    const { problems, warnings } = await fromCopies(copies, look, ctx, (warning) => ofCopies.push(warning))
    return { problems, warnings: [...ofCopies, ...warnings] }
  } catch (error) {
    for (const warning of ofCopies) ctx.log.warn(warning) // otherwise the restore itself says it
    throw error
  }
}

/** @throws {BackupError} `restore-refused`, naming every problem. */
export function requireNoProblem({ problems }: PreflightFindings): void {
  if (problems.length === 0) return
  const hints = problems.flatMap(({ hint }) => (hint === undefined ? [] : [hint]))
  throw new BackupError('restore-refused', {
    message: problems.map(({ message }) => message).join('; '),
    ...(hints.length > 0 && { hint: [...new Set(hints)].join(' ') }),
  })
}

function requireSameEngine({ manifest, target }: RestorePlan): void {
  if (manifest.engine === target.engine) return
  throw new BackupError('restore-refused', {
    message: `What is to be restored is of ${manifest.engine}, and cannot be restored into ${target.display} (${target.engine})`,
    hint: 'Name a target of the same engine; or another backup, by its id (`holdfast list`).',
  })
}
