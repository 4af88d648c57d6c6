import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

describe('the process', () => {
  it('says that its output could not be written', () => {
    const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
    const full = openSync('/dev/full', 'w')
    const { status, stderr } = spawnSync(process.execPath, [bin, 'doctor'], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    })
    closeSync(full)
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/^Error: The output could not be written: ENOSPC.*\n {2}What came out/),
    ])
  })
})
