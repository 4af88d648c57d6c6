import type { RunContext } from '@holdfast/core'

/** A warning about a restore, where there is no report to put it into. */
export function warn(message: string, ctx: RunContext): void {
  ctx.log.warn(message)
  ctx.report({ type: 'warning', stage: 'restore', message })
}
