import type { TestRestore } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { noPaint } from './colours.js'
import { describeTest } from './test-restore.js'

describe('what a test restore found', () => {
  it('is one line where a program has said why in several', () => {
    const problem =
      'pg_restore ended with exit code 1: no such table\r\nCommand was: ALTER TABLE a\n    ADD b;\u001b[2J'
    const test = { status: 'failed', on: 'db/x', problem, differences: [], failedAssertions: [], notes: [] }
    expect(describeTest(test as unknown as TestRestore, noPaint, false)).toEqual([
      'could not be restored into a scratch database beside db/x: pg_restore ended with exit code 1: no such table Command was: ALTER TABLE a ADD b;\\u001b[2J',
    ])
  })
})
