import { BackupError } from '../backup-error.js'
import type { Inventory } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import type { ChildSpec } from './child.js'
import type { ChildOutput } from './child-output.js'
import type { DumpPart, DumpReport, DumpSession } from './driver.js'
import { childOutput } from './program-output.js'

/** A dump program that can be started. Disposing removes what was set up for it; it has ended by then. */
export interface DumpProgram extends AsyncDisposable {
  readonly spec: ChildSpec
  /** What it has warned of; all is there when it has ended. */
  readonly messages: { readonly warnings: readonly string[] }
}

/** A part of a dump that a program writes to its standard output. */
export interface ProgramPart {
  readonly part: Omit<DumpPart, 'take'>
  /** Sets the program up, when its part is asked for. The context aborts when the dump is given up, too. */
  prepare(ctx: RunContext): Promise<DumpProgram>
  /**
   * Called as the program is started.
   *
   * @param ended - Settles as {@link ChildOutput.done} does.
   */
  readonly onStart?: ((ended: Promise<void>) => void) | undefined
}

/** What {@link programDump} makes a session of. */
export interface ProgramDump {
  readonly parts: readonly ProgramPart[]
  /** @param warnings - Of all programs. */
  report(warnings: readonly string[]): DumpReport
  /** {@link DumpSession.inventory}. */
  readonly inventory?: (() => Promise<Inventory>) | undefined
  /** Closes what the dump has open, when every program is gone. */
  close(): Promise<void>
}

/**
 * A dump whose parts are what programs write: each is set up when its part is asked for, started when that is taken,
 * and has ended before the next one is set up.
 *
 * @example
 * ```ts
 * import { type DumpSession, programDump, type RunContext } from '@holdfast/core'
 *
 * export function dump(ctx: RunContext): DumpSession {
 *   const spec = { name: 'mydump', command: '/usr/bin/mydump', args: ['--all'] }
 *   const program = { spec, messages: { warnings: [] }, async [Symbol.asyncDispose]() {} }
 *   const part = { name: 'sql', mediaType: 'application/sql', trailer: '-- dump complete' }
 *   return programDump(
 *     {
 *       parts: [{ part, prepare: async () => program }],
 *       report: (warnings) => ({ serverVersion: '1.0', tools: { mydump: '1.0' }, warnings, options: {}, recover: 'mysh' }),
 *       close: async () => {},
 *     },
 *     ctx,
 *   )
 * }
 * ```
 */
export function programDump(dump: ProgramDump, ctx: RunContext): DumpSession {
  const cancel = new AbortController()
  const inner: RunContext = { ...ctx, signal: AbortSignal.any([ctx.signal, cancel.signal]) }
  const { promise: done, resolve, reject } = Promise.withResolvers<DumpReport>()
  done.catch(() => {}) // whoever awaits it sees it
  const warnings: string[] = []
  const running: Promise<void>[] = []

  /** @returns Its output, and what settles when it is gone with all that was set up for it. */
  async function open(part: ProgramPart): Promise<{ output: ChildOutput; gone: Promise<void> }> {
    const program = await part.prepare(inner)
    const output = childOutput(program.spec, inner)
    const gone = output.done
      .finally(() => program[Symbol.asyncDispose]())
      .then(() => {
        warnings.push(...program.messages.warnings)
        if (part === dump.parts.at(-1)) resolve(dump.report(warnings))
      })
    gone.catch(reject)
    running.push(gone)
    return { output, gone }
  }

  async function* parts(): AsyncGenerator<DumpPart> {
    for (const each of dump.parts) {
      const { output, gone } = await open(each).catch((error: unknown) => {
        reject(error)
        throw error
      })
      let taken = false
      const take: DumpPart['take'] = () => {
        if (taken) throw new BackupError('internal', { message: `The part ${each.part.name} was taken twice` })
        taken = true
        return { kind: 'process', output: each.onStart ? whenStarted(output, each.onStart) : output }
      }
      yield { ...each.part, take }
      if (taken) await gone.catch(() => {}) // `done` tells how it went
    }
  }

  return {
    parts: parts(),
    done,
    ...(dump.inventory && { inventory: dump.inventory }),
    async [Symbol.asyncDispose]() {
      const reason = new BackupError('aborted', { message: 'The dump was given up before its end' })
      cancel.abort(reason)
      reject(reason)
      await Promise.allSettled(running)
      await dump.close()
    },
  }
}

function whenStarted(output: ChildOutput, onStart: (ended: Promise<void>) => void): ChildOutput {
  return {
    done: output.done,
    async *read() {
      onStart(output.done)
      yield* output.read()
    },
    startInto(sink) {
      output.startInto(sink)
      onStart(output.done)
    },
  }
}
