import { BackupError } from '../backup-error.js'
import type { RunContext } from '../run-context.js'
import type { ChildSpec } from './child.js'
import { signalGroup } from './die-with-parent.js'

/** What ends a process group before its time. */
export interface GroupKiller {
  /** Why it was killed; `undefined` while it was not. */
  readonly killed: { readonly reason: unknown } | undefined
  /** SIGTERM now, SIGKILL after the grace. The first call counts, and none after the end. */
  kill(reason?: unknown): void
  /** SIGKILL now, to what the child has left behind in its group. */
  clear(): void
}

/**
 * @param group - `undefined` where the child could not be started.
 * @param ended - Fires when the child has ended.
 */
export function createGroupKiller(
  spec: ChildSpec,
  group: number | undefined,
  ended: AbortSignal,
  { clock }: RunContext,
): GroupKiller {
  let killed: { readonly reason: unknown } | undefined
  const send = (signal: NodeJS.Signals): void => {
    if (group !== undefined) signalGroup(group, signal)
  }
  return {
    get killed() {
      return killed
    },
    kill(reason = wasKilled(spec)) {
      if (killed !== undefined || ended.aborted) return
      killed = { reason }
      send('SIGTERM')
      clock.sleep(spec.killGraceMs ?? 5_000, ended).then(
        () => send('SIGKILL'),
        () => {}, // it went by itself
      )
    },
    clear: () => send('SIGKILL'),
  }
}

function wasKilled(spec: ChildSpec): BackupError {
  return new BackupError('aborted', { message: `${spec.name} was stopped before its end` })
}
