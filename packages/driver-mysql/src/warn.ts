import type { RunContext } from '@holdfast/core'

/** Says something of a restore where no report is at hand. */
export function warn(message: string, ctx: RunContext): void {
  ctx.log.warn(message)
  ctx.report({ type: 'warning', stage: 'restore', message })
}
