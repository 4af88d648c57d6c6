import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const here = (name: string): string => fileURLToPath(new URL(`../../test/${name}`, import.meta.url))

describe.runIf(process.platform === 'linux')('a process with few descriptors', () => {
  it('says that a child could not be started, and leaves nothing open', () => {
    const node = [process.execPath, '--no-warnings', '--import', here('run-sources.mjs'), here('few-descriptors.ts')]
    const out = execFileSync('/bin/sh', ['-c', 'ulimit -n 96; exec "$@"', '-', ...node], { encoding: 'utf8' })
    const outcomes = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    const because = (name: string): string => `(retryable): ${name} could not be started: too many files are open`
    expect(outcomes).toHaveLength(33)
    for (const { leaked, started, asked } of outcomes) {
      expect(leaked).toBe(0)
      expect(['word', `restore-failed ${because('script')}`]).toContain(started)
      expect(['word', `dump-failed ${because('/bin/echo')}`]).toContain(asked)
    }
    expect(outcomes[0]).toMatchObject({
      started: expect.stringContaining('too many'),
      asked: expect.stringContaining('too many'),
    })
    expect(outcomes.at(-1)).toMatchObject({ started: 'word', asked: 'word' })
  })
})
