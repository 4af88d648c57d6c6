import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rowValueFilter } from './row-values.js'
import { readLines } from './stderr-lines.js'

async function linesOf(
  chunks: readonly Uint8Array[],
  toKeep?: (line: string) => string | undefined,
): Promise<{ lines: string[]; tail: string }> {
  const stderr = new PassThrough()
  const lines: string[] = []
  const { tail } = readLines(stderr, (line) => lines.push(line), toKeep)
  const ended = new Promise((resolve) => stderr.on('end', resolve))
  for (const chunk of chunks) stderr.write(chunk)
  stderr.end()
  await ended
  return { lines, tail: tail() }
}

describe('readLines', () => {
  it('splits lines however the bytes are cut', async () => {
    const text = Buffer.from('first\nzweite Zeile: ü\r\n\n  \nthird \ud83d\udc18\nlast without end')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(text.length)), async (cuts) => {
        const places = [...cuts].sort((a, b) => a - b)
        const chunks = [0, ...places].map((start, i) => text.subarray(start, places[i] ?? text.length))
        const { lines } = await linesOf(chunks)
        expect(lines).toEqual(['first', 'zweite Zeile: ü', 'third \ud83d\udc18', 'last without end'])
      }),
    )
  })

  it('cuts endless lines, and keeps less of them in mind', async () => {
    const { lines, tail } = await linesOf([
      Buffer.alloc(100_000, 'x'),
      Buffer.alloc(100_000, 'x'),
      Buffer.from('\nend\n'),
    ])
    expect(lines.map((line) => line.length)).toEqual([8_192, 3])
    expect(tail).toBe(`${'x'.repeat(1_024)}\nend`)
  })

  it('keeps no line without its beginning', async () => {
    const lines = Array.from({ length: 10 }, (_, i) => `line ${i} ${'x'.repeat(1_000)}`)
    const { tail } = await linesOf([Buffer.from(lines.join('\n'))])
    expect(tail).toBe(lines.slice(-4).join('\n'))
  })

  it('keeps of each line what it is told to, whatever came long before', async () => {
    const filter = rowValueFilter({ beginning: /^(ERROR|DETAIL): /, values: [[/(row contains ).*$/, '$1…']] })
    const value = Array.from({ length: 40 }, (_, i) => `secret ${i}`).join('\n')
    const text = `ERROR: no\nDETAIL: row contains (${value})`
    const { lines, tail } = await linesOf([Buffer.from(text)], filter)
    expect([lines.length, tail]).toEqual([41, 'ERROR: no\nDETAIL: row contains …'])
  })

  it('keeps the last 20 lines', async () => {
    const { lines, tail } = await linesOf([Buffer.from(Array.from({ length: 50 }, (_, i) => `line ${i}\n`).join(''))])
    expect(lines).toHaveLength(50)
    expect(tail.split('\n')).toHaveLength(20)
    expect(tail.startsWith('line 30\n')).toBe(true)
  })
})
