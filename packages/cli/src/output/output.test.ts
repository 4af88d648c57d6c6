import { describe, expect, it } from 'vitest'
import { testWorld } from '../testing/test-world.js'
import { paintFor, terminalPaint } from './colours.js'
import { createOutput, type GlobalOptions } from './output.js'

function said(options: GlobalOptions): { out: string; err: string } {
  const world = testWorld()
  const output = createOutput(world, options)
  output.hide('canary-1234')
  output.result('result canary-1234')
  output.document({ value: 'canary-1234 "quoted"', deep: [{ url: 'postgres://u:canary@h/d' }] })
  output.note('note')
  output.warn('warning')
  output.debug('debug')
  output.error('error')
  return { out: world.out(), err: world.err() }
}

describe('createOutput', () => {
  it('keeps results on standard output and the rest on standard error', () => {
    expect(said({})).toEqual({ out: 'result ***\n', err: 'note\nWarning: warning\nerror\n' })
  })

  it('prints one JSON document with --json', () => {
    const { out } = said({ json: true })
    expect(JSON.parse(out)).toEqual({ value: '*** "quoted"', deep: [{ url: 'postgres://u:***@h/d' }] })
  })

  it('is quiet or verbose when asked', () => {
    expect(said({ quiet: true }).err).toBe('Warning: warning\nerror\n')
    expect(said({ verbose: true }).err).toContain('debug\n')
  })

  it('hides a secret with a quote in it in JSON as well', () => {
    const world = testWorld()
    const output = createOutput(world, { json: true })
    output.hide('se"cret\\x')
    output.document({ text: 'a se"cret\\x b' })
    expect(JSON.parse(world.out())).toEqual({ text: 'a *** b' })
  })

  it('never takes its own words in JSON for a password', () => {
    const world = testWorld()
    const output = createOutput(world, { json: true })
    for (const secret of ['postgres', 'complete', 'corrupt1']) output.hide(secret)
    const document = { engine: 'postgres', backups: [{ status: 'complete', job: 'x' }] }
    output.document({ ...document, complete: 'is complete', code: 'corrupt1' })
    expect(JSON.parse(world.out())).toEqual({ ...document, complete: 'is ***', code: '***' })
  })

  it('draws the live line again after other lines', () => {
    const world = testWorld({ terminal: true })
    const output = createOutput(world, {})
    output.live('50%')
    output.note('hello')
    output.live(undefined)
    expect(world.err()).toBe('\r50%\rhello\n\r50%\r')
  })
})

describe('paintFor', () => {
  const terminal = testWorld({ terminal: true }).stdout
  it('paints for a terminal, unless told not to', () => {
    expect(paintFor(terminal, {}, true)).toBe(terminalPaint)
    for (const paint of [
      paintFor(testWorld().stdout, {}, true),
      paintFor(terminal, { NO_COLOR: '1' }, true),
      paintFor(terminal, { TERM: 'dumb' }, true),
      paintFor(terminal, {}, false),
    ]) {
      expect(paint.bad('x')).toBe('x')
    }
    expect(terminalPaint.bad('x')).not.toBe('x')
  })
})
