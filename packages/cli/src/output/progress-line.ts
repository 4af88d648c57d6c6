import type { Stage } from '@holdfast/core'
import type { Paint } from './colours.js'
import { formatBytes } from './format-bytes.js'
import { formatElapsed } from './format-duration.js'
import { widthOf } from './table.js'

/** Where a command stands. */
export interface ProgressState {
  /** Job or backup. */
  readonly subject: string
  readonly stage: Stage | undefined
  readonly bytes: number
  /** Expected bytes, of the same kind as `bytes`. */
  readonly total: number | undefined
  /** Whether `total` is a guess (the size of the last backup). */
  readonly estimated: boolean
  /** Bytes each second, lately. */
  readonly speed: number
  readonly elapsedMs: number
}

const stageNames: Readonly<Record<Stage, string>> = {
  preflight: 'checking',
  dump: 'backing up',
  commit: 'finishing',
  'back-fill': 'filling in',
  'clean-up': 'cleaning up',
  'read-through': 'reading',
  restore: 'restoring',
  assertions: 'checking assertions',
  swap: 'changing places',
  verify: 'verifying',
}

/** What a stage is called for people. */
export function stageName(stage: Stage | undefined): string {
  return stage === undefined ? 'starting' : stageNames[stage]
}

const barWidth = 24

/** One line with a bar, bytes, speed and time, in at most `width` characters; the least important goes first. */
export function progressLine(state: ProgressState, width: number, paint: Paint): string {
  const share = state.total ? Math.min(state.bytes / state.total, state.estimated ? 0.99 : 1) : undefined
  const label = `${state.subject} ${stageName(state.stage)}`
  const bar = share === undefined ? undefined : paintBar(share, paint)
  const percent = share === undefined ? undefined : `${state.estimated ? '~' : ''}${Math.floor(share * 100)}%`
  const bytes = state.bytes === 0 ? undefined : bytesText(state)
  const speed = state.speed > 0 ? `${formatBytes(state.speed)}/s` : undefined
  const elapsed = formatElapsed(state.elapsedMs)
  const candidates = [
    [label, bar, percent, bytes, speed, elapsed],
    [label, percent, bytes, speed, elapsed],
    [label, percent ?? bytes, elapsed],
    [percent ?? elapsed],
  ]
  for (const candidate of candidates) {
    const line = candidate.filter((part) => part !== undefined).join('  ')
    if (widthOf(line) < width) return line
  }
  return ''
}

function bytesText({ bytes, total, estimated }: ProgressState): string {
  if (total === undefined) return formatBytes(bytes)
  return `${formatBytes(bytes)} of ${estimated ? 'about ' : ''}${formatBytes(total)}`
}

function paintBar(share: number, paint: Paint): string {
  const full = Math.round(share * barWidth)
  return paint.good('█'.repeat(full)) + paint.faint('░'.repeat(barWidth - full))
}
