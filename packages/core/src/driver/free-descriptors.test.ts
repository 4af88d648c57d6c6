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
    const because = (name: string, failed = 'started'): string =>
      `(retryable): ${name} could not be ${failed}: too many files are open`
    expect(outcomes).toHaveLength(33)
    for (const { leaked, started, asked, keys, listed } of outcomes) {
      expect(leaked).toBe(0)
      expect(['word', `restore-failed ${because('script')}`]).toContain(started)
      expect(['word', `dump-failed ${because('/bin/echo')}`]).toContain(asked)
      expect(['none', `internal ${because('gpg')}`]).toContain(keys)
      expect(['/usr/bin', `dump-failed ${because('/usr', 'searched')}`]).toContain(listed)
    }
    const tooMany = expect.stringContaining('too many')
    expect(outcomes[0]).toMatchObject({ started: tooMany, asked: tooMany, keys: tooMany, listed: tooMany })
    expect(outcomes.at(-1)).toMatchObject({ started: 'word', asked: 'word', keys: 'none', listed: '/usr/bin' })
  })
})
