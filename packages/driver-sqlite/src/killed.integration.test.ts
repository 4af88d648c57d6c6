import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { startRestore } from '../test/start-restore.js'
import { sqlite } from './driver.js'
import { runTask } from './run-task.js'

/** In `npm run test:slow` more. */
const kills = Number(process.env.HOLDFAST_SQLITE_KILLS ?? 12)
const ctx = createRunContext()
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
  const filling = (from: string): string => `create table big as with recursive n(i) as
    (select 1 union all select i + 1 from n where i < 6000) select i, '${from}' || hex(randomblob(300)) as t from n`
  makeDatabase(join(directory, 'new.db'), filling('new'))
  makeDatabase(join(directory, 'wal.db'), filling('old'), 'wal')
  makeDatabase(join(directory, 'delete.db'), filling('old'), 'delete')
})
afterAll(() => rmSync(directory, { recursive: true }))

const path = (name: string): string => join(directory, name)

async function fingerprint(name: string): Promise<string> {
  await runTask('check', [path(name)], ctx)
  return JSON.stringify(await runTask('sections', [path(name)], ctx))
}

/** Removes the target of the last round, and what lies beside it. */
function clearTarget(): void {
  for (const name of readdirSync(directory)) if (name.startsWith('app.db')) rmSync(path(name))
}

it.each([
  ['restore', 'wal'],
  ['restore', 'delete'],
  ['swap', 'wal'],
  ['swap', 'delete'],
] as const)('a %s into a database in mode %s that is killed leaves it as before or as after', async (way, mode) => {
  const [before, after] = [await fingerprint(`${mode}.db`), await fingerprint('new.db')]
  clearTarget()
  copyFileSync(path(`${mode}.db`), path('app.db'))
  const { child: whole } = await startRestore(path('new.db'), path('app.db'), way)
  const started = performance.now()
  await once(whole, 'exit')
  const usualMs = performance.now() - started
  expect(await fingerprint('app.db')).toBe(after)

  const seen = { before: 0, after: 0 }
  for (let round = 0; round < kills / 4; round++) {
    clearTarget()
    copyFileSync(path(`${mode}.db`), path('app.db'))
    const { child } = await startRestore(path('new.db'), path('app.db'), way)
    const exited = once(child, 'exit')
    // At points spread over the whole of it, the end included.
    const timer = setTimeout(() => child.kill('SIGKILL'), ((round + Math.random()) / (kills / 4)) * usualMs)
    await exited
    clearTimeout(timer)
    const found = await fingerprint('app.db')
    expect([before, after]).toContain(found)
    seen[found === before ? 'before' : 'after']++
    for (const name of readdirSync(directory)) {
      if (name.startsWith('app.db__before_') && !/-(wal|shm|journal|mark)$/.test(name)) {
        expect(await fingerprint(name), 'what was put aside is whole').toBe(before)
      }
    }
    for (const aside of (await sqlite({ path: path('app.db') }).asides?.(ctx)) ?? []) await aside.drop(ctx)
    const left = readdirSync(directory).filter((name) => name.startsWith('app.db__') && !isEmptyMark(name))
    expect(left, 'cleanup finds all that is left').toEqual([])
  }
  expect(seen.before).toBeGreaterThan(0)
})

/** Of one killed before it had written its mark: whose it is cannot be known, so cleanup leaves it for a day. */
function isEmptyMark(name: string): boolean {
  return name.endsWith('-mark') && statSync(path(name)).size === 0
}
