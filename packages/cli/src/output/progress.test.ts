import { describe, expect, it } from 'vitest'
import { testWorld } from '../testing/test-world.js'
import { noPaint, terminalPaint } from './colours.js'
import { createOutput, type GlobalOptions } from './output.js'
import { createProgress } from './progress.js'
import { type ProgressState, progressLine, stageName } from './progress-line.js'
import { widthOf } from './table.js'

const state: ProgressState = {
  subject: 'shop',
  stage: 'dump',
  bytes: 5 * 1024 ** 2,
  total: 20 * 1024 ** 2,
  estimated: false,
  speed: 1024 ** 2,
  elapsedMs: 5_000,
}

describe('progressLine', () => {
  it('shows a bar, the share, bytes, speed and time', () => {
    const line = progressLine(state, 120, noPaint)
    expect(line).toBe('shop backing up  ██████░░░░░░░░░░░░░░░░░░  25%  5.00 MiB of 20.0 MiB  1.00 MiB/s  0:05')
  })

  it('does without a bar where the total is not known', () => {
    expect(progressLine({ ...state, total: undefined }, 120, noPaint)).toBe(
      'shop backing up  5.00 MiB  1.00 MiB/s  0:05',
    )
  })

  it('never claims to be done on an estimate', () => {
    const line = progressLine({ ...state, bytes: 40 * 1024 ** 2, estimated: true }, 120, noPaint)
    expect(line).toContain('~99%')
    expect(line).toContain('about 20.0 MiB')
  })

  it('fits any width', () => {
    for (let width = 1; width < 120; width++) {
      expect(widthOf(progressLine(state, width, terminalPaint)), `${width}`).toBeLessThan(width)
    }
  })

  it('has a word for no stage yet', () => {
    expect(stageName(undefined)).toBe('starting')
  })
})

function progressIn(options: GlobalOptions, terminal = false) {
  const world = testWorld({ terminal, columns: 100 })
  const progress = createProgress('shop', world, createOutput(world, options), options)
  return { world, progress }
}

const bytes = (storedBytes: number, totalStoredBytes?: number) =>
  ({
    type: 'bytes',
    stage: 'restore',
    part: 'dump',
    storedBytes,
    ...(totalStoredBytes !== undefined && { totalStoredBytes }),
  }) as const

describe('createProgress', () => {
  it('prints a line a stage where there is no terminal', () => {
    const { world, progress } = progressIn({})
    progress.report({ type: 'stage', stage: 'preflight' })
    progress.report(bytes(100))
    progress.report({ type: 'stage', stage: 'restore', detail: 'disk' })
    progress.report({ type: 'copy', storage: 'disk', status: 'complete' })
    progress.report({ type: 'copy', storage: 'far', status: 'failed', message: 'the log says so' })
    progress.report({ type: 'warning', stage: 'restore', message: 'look here' })
    progress[Symbol.dispose]()
    expect(world.err()).toBe(
      '0:00  shop: checking\n0:00  shop: restoring (disk)\n0:00  shop: complete on disk\nWarning: look here\n',
    )
    expect(world.out()).toBe('')
  })

  it('draws a bar at a terminal, and takes it away', () => {
    const { world, progress } = progressIn({}, true)
    progress.report({ type: 'stage', stage: 'restore' })
    progress.report(bytes(50, 100))
    progress.report({ type: 'warning', stage: 'restore', message: 'look here' })
    progress[Symbol.dispose]()
    expect(world.err()).toContain('shop restoring  0:00')
    expect(world.err()).toContain('Warning: look here')
  })

  it('shows plain bytes where their total is known, and the expected size where it is not', () => {
    const first = progressIn({}, true)
    first.progress.report({ ...bytes(10), stage: 'dump', plainBytes: 512, totalPlainBytes: 1024 })
    first.progress[Symbol.dispose]()
    expect(first.world.err()).toContain('50%  512 B of 1.00 KiB')

    const second = progressIn({}, true)
    second.progress.expect(200)
    second.progress.report({ type: 'stage', stage: 'dump' })
    second.progress.report({ type: 'object', stage: 'dump', name: 'public.item' })
    second.progress[Symbol.dispose]()
    expect(second.world.err()).toContain('~0%')
  })

  it('writes JSON lines where asked', () => {
    const { world, progress } = progressIn({ progress: 'json' })
    progress.report({ type: 'stage', stage: 'restore' })
    progress.report(bytes(10, 30))
    progress.report(bytes(20, 30))
    progress.report(bytes(30, 30))
    const lines = world
      .err()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; subject: string; storedBytes?: number })
    expect(lines.map(({ type, storedBytes }) => [type, storedBytes])).toEqual([
      ['stage', undefined],
      ['bytes', 10],
      ['bytes', 30],
    ])
    expect(lines.every(({ subject }) => subject === 'shop')).toBe(true)
  })

  it.each<[GlobalOptions, boolean]>([
    [{ quiet: true }, true],
    [{ json: true }, false],
    [{ progress: 'none' }, true],
  ])('says nothing with %j', (options, terminal) => {
    const { world, progress } = progressIn(options, terminal)
    progress.report({ type: 'stage', stage: 'restore' })
    progress.report(bytes(10))
    progress.expect(5)
    progress[Symbol.dispose]()
    expect(world.err()).toBe('')
  })
})
