import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { sqlite } from './driver.js'
import { runTask } from './run-task.js'

/** In `npm run test:slow` more. */
const kills = Number(process.env.HOLDFAST_SQLITE_KILLS ?? 24)
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  const filling = (from: string): string => `create table big as with recursive n(i) as
    (select 1 union all select i + 1 from n where i < 30000) select i, '${from}' || hex(randomblob(300)) as t from n`
  makeDatabase(join(directory, 'new.db'), filling('new'))
  makeDatabase(join(directory, 'wal.db'), filling('old'), 'wal')
  makeDatabase(join(directory, 'delete.db'), filling('old'), 'delete')
})
afterAll(() => rmSync(directory, { recursive: true }))

const path = (name: string): string => join(directory, name)

async function fingerprint(name: string): Promise<string> {
  await runTask('check', [path(name)], createRunContext())
  return JSON.stringify(await runTask('sections', [path(name)], createRunContext()))
}

/** Removes the target of the last round, and what lies beside it. */
function clearTarget(): void {
  for (const name of readdirSync(directory)) if (name.startsWith('app.db')) rmSync(path(name))
}

function restoring(way: string): ChildProcess {
  const test = join(import.meta.dirname, '../test')
  const node = ['--conditions=holdfast-source', '--no-warnings', '--import', join(test, 'run-sources.mjs')]
  const args = [...node, join(test, 'restore-child.ts'), path('new.db'), path('app.db'), way]
  return spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: directory },
  })
}

async function untilReady(child: ChildProcess): Promise<number> {
  await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')
  return performance.now()
}

it.each([
  ['restore', 'wal'],
  ['restore', 'delete'],
  ['swap', 'wal'],
  ['swap', 'delete'],
])('a %s into a database in mode %s that is killed leaves it as before or as after', async (way, mode) => {
  const [before, after] = [await fingerprint(`${mode}.db`), await fingerprint('new.db')]
  clearTarget()
  copyFileSync(path(`${mode}.db`), path('app.db'))
  const whole = restoring(way)
  const started = await untilReady(whole)
  await once(whole, 'exit')
  const usualMs = performance.now() - started
  expect(await fingerprint('app.db')).toBe(after)

  const seen = { before: 0, after: 0 }
  for (let round = 0; round < kills / 4; round++) {
    clearTarget()
    copyFileSync(path(`${mode}.db`), path('app.db'))
    const child = restoring(way)
    await untilReady(child)
    const exited = once(child, 'exit')
    // At points spread over the whole of it, the end included.
    const timer = setTimeout(() => child.kill('SIGKILL'), ((round + Math.random()) / (kills / 4)) * usualMs)
    await exited
    clearTimeout(timer)
    const found = await fingerprint('app.db')
    expect([before, after]).toContain(found)
    seen[found === before ? 'before' : 'after']++
    for (const name of readdirSync(directory)) {
      if (name.startsWith('app.db__before_') && !/-(wal|shm|journal)$/.test(name)) {
        expect(await fingerprint(name), 'what was put aside is whole').toBe(before)
      }
    }
    // By such names cleanup finds what is left.
    const left = readdirSync(directory).filter((name) => name.startsWith('app.db__'))
    for (const name of left) expect(name).toMatch(/^app\.db__(holdfast|before)_[0-9a-f]{8}(-wal|-shm|-journal)?$/)
  }
  expect(seen.before).toBeGreaterThan(0)
})

it('links and directories that are called like what a restore left are none of it', async () => {
  clearTarget()
  copyFileSync(path('new.db'), path('app.db'))
  symlinkSync(path('nowhere'), path('app.db__before_00000001'))
  symlinkSync(path('wal.db'), path('app.db__before_00000002'))
  mkdirSync(path('app.db__holdfast_00000003'))
  expect(await sqlite({ path: path('app.db') }).asides?.(createRunContext())).toEqual([])
})
