import type { RunContext } from '@holdfast/core'

/**
 * A context that no abort reaches: for short work that must not stop halfway, such as a swap of names, and for
 * cleaning up after an abort.
 */
export function shielded(ctx: RunContext): RunContext {
  return { ...ctx, signal: new AbortController().signal }
}
