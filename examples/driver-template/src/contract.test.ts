import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createRunContext } from '@holdfast/core'
import { type DriverCaseEnv, driverContract, type TargetKind } from '@holdfast/core/testing'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { jsonLines } from './driver.js'
import { fileOf, tablesOf } from './tables.js'

let root: string
let count = 0
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'holdfast-test-'))
  // As nasty as the engine allows, and more than a megabyte, so that there is a middle to fail in.
  await makeDatabase('source', {
    'a "name"/with\neverything 🐘': [{ text: 'line\nbreak', nothing: null }, { '#table "x"': '\0' }],
    empty: [],
    big: Array.from({ length: 20_000 }, (_, id) => ({ id, text: `row ${id} `.repeat(8) })),
  })
})
afterAll(() => rm(root, { recursive: true }))

async function makeDatabase(name: string, tables: Readonly<Record<string, readonly unknown[]>>): Promise<void> {
  await mkdir(join(root, name))
  for (const [table, rows] of Object.entries(tables)) {
    await writeFile(fileOf(join(root, name), table), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  }
}

async function makeTarget(kind: TargetKind): Promise<string> {
  const name = `target ${++count}`
  if (kind === 'empty') await makeDatabase(name, {})
  if (kind === 'filled') await makeDatabase(name, { own: [{ only: 'here' }] })
  return name
}

async function fingerprint(directory: string): Promise<string> {
  const tables = await tablesOf(directory)
  if (!tables) return 'absent'
  return JSON.stringify(await Promise.all(tables.map((table) => readFile(fileOf(directory, table), 'utf8'))))
}

describe('the driver', () => {
  const env: DriverCaseEnv = {
    get source() {
      return jsonLines({ path: join(root, 'source') })
    },
    target: async (kind) => jsonLines({ path: join(root, await makeTarget(kind)) }),
    fingerprint: ({ database }) => fingerprint(join(root, basename(database))),
    ctx: createRunContext(),
  }
  for (const { name, run } of driverContract) it(name, () => run(env))
})
