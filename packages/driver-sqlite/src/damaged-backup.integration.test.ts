import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createHoldfast, createRunContext, type Driver, type RestoreWay } from '@holdfast/core'
import { seededRandom } from '@holdfast/core/testing'
import { local } from '@holdfast/storage-local'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDatabase } from '../test/nasty.js'
import { sqlite } from './driver.js'

/** In `npm run test:slow` more. */
const damages = Number(process.env.HOLDFAST_SQLITE_DAMAGES ?? 100)
/** Restores under way at once. */
const lanes = 4
/** Each of them reads what is stored before it touches the target, in its own way; the first is the quickest. */
const modes: readonly RestoreWay[] = ['clean', 'clean', 'clean', 'staged']
const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
const original = join(directory, 'original')
let backup: string
beforeAll(async () => {
  makeDatabase(join(directory, 'source.db'))
  const source = sqlite({ path: join(directory, 'source.db') })
  await using holdfast = createHoldfast({ jobs: { app: { source, storages: [local({ path: original })] } } })
  backup = (await holdfast.backup('app')).backup.id
})
afterAll(() => rmSync(directory, { recursive: true }))

/** A copy of the storage, and a database that holds something. */
function makeLane(index: number): { readonly storage: string; readonly target: string; readonly files: string[] } {
  const lane = join(directory, `lane-${index}`)
  const storage = join(lane, 'storage')
  cpSync(original, storage, { recursive: true })
  const target = join(lane, 'app.db')
  makeDatabase(target, `create table own(a); insert into own values ('kept')`)
  const files = readdirSync(storage, { recursive: true })
    .map((name) => join(storage, String(name)))
    .filter((path) => /\.(sqlite|manifest\.json)[.a-z]*$/.test(path))
  expect(files.map((path) => basename(path).replace(/^.*_[0-9a-f]{8}\./, '')).sort()).toEqual([
    'manifest.json',
    'sqlite.zst',
  ])
  return { storage, target, files }
}

/** A driver that looks at its database once, as nothing may change it: each look is a process. */
function onceProbed(driver: Driver): Driver {
  const found = driver.probe(createRunContext())
  return { ...driver, probe: () => found }
}

/** One bit turned over, or the end cut off. */
function damaged(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length)
  if (random() < 0.5) return bytes.subarray(0, at)
  const flipped = Buffer.from(bytes)
  flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8))
  return flipped
}

it('every flip and every cut of a backup is noticed before the target is touched', async () => {
  const run = async (index: number): Promise<void> => {
    const { storage, target, files } = makeLane(index)
    const random = seededRandom(index + 1)
    const before = readFileSync(target)
    const source = onceProbed(sqlite({ path: target }))
    const jobs = { app: { source, storages: [local({ path: storage })] } }
    for (let round = index; round < damages; round += lanes) {
      // The manifest is a small part of a backup, and has to be damaged often enough too.
      const file = files.find((path) => path.endsWith('.json') === (round % 5 === 0)) ?? ''
      const whole = readFileSync(file)
      const bytes = damaged(whole, random)
      writeFileSync(file, bytes)
      const mode = modes[round % modes.length] ?? 'clean'
      const what = `round ${round}, ${mode}: ${bytes.length} of ${whole.length} bytes of ${basename(file)}`
      await using holdfast = createHoldfast({ jobs })
      const outcome = await holdfast.restore(backup, { job: 'app', mode }).then(
        () => 'restored',
        (error: { code?: string }) => error.code,
      )
      expect(outcome, what).toMatch(/^(corrupt|manifest-invalid|no-match|not-found)$/)
      expect(readFileSync(target).equals(before), what).toBe(true)
      expect(
        readdirSync(join(target, '..')).filter((name) => name.includes('__')),
        what,
      ).toEqual([])
      writeFileSync(file, whole)
    }
    await using holdfast = createHoldfast({ jobs })
    await holdfast.restore(backup, { mode: 'clean' }) // it was the damage that kept the others from it
  }
  await Promise.all(Array.from({ length: lanes }, (_, index) => run(index)))
})
