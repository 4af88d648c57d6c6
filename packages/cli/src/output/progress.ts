import type { ProgressEvent, Stage } from '@holdfast/core'
import type { World } from '../world.js'
import { formatElapsed } from './format-duration.js'
import type { GlobalOptions, Output } from './output.js'
import { progressLine, stageName } from './progress-line.js'

/** Shows the progress of one call. */
export interface Progress extends Disposable {
  report(event: ProgressEvent): void
  /** Expected bytes on storage, where the call itself cannot know them. */
  expect(storedBytes: number): void
}

type Mode = NonNullable<GlobalOptions['progress']>

const drawEveryMs = 100
/** Speed is taken over this time, so that it is steady and still follows. */
const speedWindowMs = 3000

/** A bar at a terminal, one line a stage elsewhere, JSON lines or nothing where asked. */
export function createProgress(subject: string, world: World, output: Output, options: GlobalOptions): Progress {
  switch (modeFor(options, world)) {
    case 'bar':
      return barProgress(subject, world, output)
    case 'lines':
      return lineProgress(subject, output)
    case 'json':
      return jsonProgress(subject, output)
    default:
      return { report() {}, expect() {}, [Symbol.dispose]() {} }
  }
}

function modeFor(options: GlobalOptions, world: World): Mode {
  const asked = options.progress ?? 'auto'
  if (asked !== 'auto') return asked
  if (options.quiet) return 'none'
  if (world.stderr.isTTY && world.env.TERM !== 'dumb') return 'bar'
  return options.json ? 'none' : 'lines'
}

function barProgress(subject: string, world: World, output: Output): Progress {
  const started = performance.now()
  const samples: { at: number; bytes: number }[] = []
  const parts = new Map<string, { bytes: number; total: number | undefined }>()
  let stage: Stage | undefined
  let expected: number | undefined
  let drawn = Number.NEGATIVE_INFINITY

  const draw = (): void => {
    const now = performance.now()
    drawn = now
    const bytes = sum([...parts.values()].map((part) => part.bytes)) ?? 0
    const total = sum([...parts.values()].map((part) => part.total))
    samples.push({ at: now, bytes })
    while ((samples[1]?.at ?? now) < now - speedWindowMs) samples.shift()
    const first = samples[0]
    const speed = first && now > first.at ? ((bytes - first.bytes) * 1000) / (now - first.at) : 0
    const guess = stage === 'dump' ? expected : undefined
    const state = { subject, stage, bytes, total: total ?? guess, estimated: total === undefined, speed }
    output.live(progressLine({ ...state, elapsedMs: now - started }, world.stderr.columns ?? 80, output.errorPaint))
  }
  const timer = setInterval(draw, 500)
  timer.unref()

  return {
    report(event) {
      if (event.type === 'stage') {
        stage = event.stage
        parts.clear()
        samples.length = 0
        draw()
      } else if (event.type === 'bytes') {
        const plain = event.totalPlainBytes !== undefined && event.plainBytes !== undefined
        parts.set(event.part, {
          bytes: plain ? (event.plainBytes ?? 0) : event.storedBytes,
          total: plain ? event.totalPlainBytes : event.totalStoredBytes,
        })
        if (performance.now() - drawn >= drawEveryMs) draw()
      } else if (event.type === 'warning') output.warn(event.message)
    },
    expect(storedBytes) {
      expected = storedBytes
    },
    [Symbol.dispose]() {
      clearInterval(timer)
      output.live(undefined)
    },
  }
}

function sum(sizes: readonly (number | undefined)[]): number | undefined {
  if (sizes.length === 0) return undefined
  return sizes.reduce((all, size) => (all === undefined || size === undefined ? undefined : all + size), 0)
}

function lineProgress(subject: string, output: Output): Progress {
  const started = performance.now()
  return {
    report(event) {
      if (event.type === 'stage') {
        const detail = event.detail === undefined ? '' : ` (${event.detail})`
        output.note(`${formatElapsed(performance.now() - started)}  ${subject}: ${stageName(event.stage)}${detail}`)
      } else if (event.type === 'warning') output.warn(event.message)
      else if (event.type === 'copy' && event.status === 'complete') {
        output.note(`${formatElapsed(performance.now() - started)}  ${subject}: complete on ${event.storage}`)
      }
    },
    expect() {},
    [Symbol.dispose]() {},
  }
}

/** One JSON object a line on standard error; byte counts ten times a second at most. */
function jsonProgress(subject: string, output: Output): Progress {
  let last = Number.NEGATIVE_INFINITY
  return {
    report(event) {
      if (event.type === 'bytes') {
        const now = performance.now()
        const whole = event.storedBytes === event.totalStoredBytes
        if (now - last < drawEveryMs && !whole) return
        last = now
      }
      output.error(JSON.stringify({ time: new Date().toISOString(), subject, ...event }))
    },
    expect() {},
    [Symbol.dispose]() {},
  }
}
