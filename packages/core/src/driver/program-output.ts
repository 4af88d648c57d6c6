import { BackupError } from '../backup-error.js'
import { MiB } from '../byte-stream.js'
import type { RunContext } from '../run-context.js'
import { openBlockPipe } from './block-pipe.js'
import type { Child, ChildIo, ChildSpec } from './child.js'
import type { ChildOutput } from './child-output.js'
import { startChild } from './child-process.js'
import { readFromChild } from './child-streams.js'
import { closeHere } from './spawn-group.js'

/**
 * The output of a program that starts when it is taken, as a driver offers it.
 *
 * `done` rejects with `signal.reason` also when the run is aborted before anybody took it.
 */
export function childOutput(spec: ChildSpec, ctx: RunContext): ChildOutput {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => {}) // whoever reads sees it there; nobody needs to look twice
  const onAbort = (): void => reject(ctx.signal.reason)
  ctx.signal.addEventListener('abort', onAbort, { once: true })
  if (ctx.signal.aborted) onAbort()
  let taken = false

  const start = (io: Omit<ChildIo, 'stdin'>): Child => {
    if (taken) throw new BackupError('internal', { message: `The output of ${spec.name} was taken twice` })
    taken = true
    ctx.signal.removeEventListener('abort', onAbort)
    try {
      const child = startChild(spec, { stdin: 'ignore', ...io }, ctx)
      child.done.then(() => resolve(), reject)
      return child
    } catch (error) {
      reject(error)
      throw error
    }
  }

  return {
    async *read() {
      // 138,000 reads of 6.7 KB are what pg_dump gives for a gigabyte; every later stage would pay for each of them.
      using pipe = await openBlockPipe(MiB)
      const child = start({ stdout: pipe?.writeEnd ?? 'pipe', waitsForUs: pipe?.waitsForUs })
      yield* readFromChild(child, { blockBytes: MiB, from: pipe })
    },
    startInto(sink) {
      try {
        start({ stdout: sink })
      } catch (error) {
        reject(error)
        closeHere(sink)
      }
    },
    done,
  }
}
