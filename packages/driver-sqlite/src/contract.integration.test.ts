import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { childProcesses, type DriverCaseEnv, driverContract, type TargetKind } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { sqlite } from './driver.js'
import { runTask } from './run-task.js'

const other = `create table own(a); insert into own values ('only here'); create table big(x)`

describe.each([
  { mode: 'wal', targetMode: 'delete' },
  { mode: 'delete', targetMode: 'wal' },
] as const)('a source in mode $mode, targets in mode $targetMode', ({ mode, targetMode }) => {
  let directory: string
  let before: ReadonlySet<number>
  let count = 0
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
    makeDatabase(join(directory, 'source.db'), undefined, mode)
    before = new Set(await childProcesses())
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  function makeTarget(kind: TargetKind): string {
    const path = join(directory, `target ${++count} '"% 🐘.db`)
    if (kind === 'empty') writeFileSync(path, '')
    if (kind === 'filled') makeDatabase(path, other, targetMode)
    return path
  }

  const env: DriverCaseEnv = {
    get source() {
      return sqlite({ path: join(directory, 'source.db') })
    },
    target: async (kind) => sqlite({ path: makeTarget(kind) }),
    fingerprint: async ({ database }) => {
      const path = join(directory, database)
      return existsSync(path) ? JSON.stringify(await runTask('sections', [path], createRunContext())) : 'absent'
    },
    children: async () => (await childProcesses()).filter((pid) => !before.has(pid)),
    ctx: createRunContext(),
  }

  for (const { name, run } of driverContract) it(name, () => run(env))
})
