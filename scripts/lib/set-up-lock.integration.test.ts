import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { lstatSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, expect, it, vi } from 'vitest'
import { aloneInCheckout } from './set-up-lock.mjs'

const directory = mkdtempSync(join(tmpdir(), 'holdfast-lock-'))
afterAll(() => rmSync(directory, { recursive: true }))
afterEach(() => void vi.restoreAllMocks())

let locks = 0
const lockFile = (): string => join(directory, String(locks++), 'set-up.lock')

function spokenLines(): string[] {
  const lines: string[] = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0)
  return lines
}

it('lets one work after the other, and says once who is waited for', async () => {
  const options = { file: lockFile(), everyMs: 1 }
  const lines = spokenLines()
  const ended: string[] = []
  const begun = Promise.withResolvers<void>()
  const mayEnd = Promise.withResolvers<void>()
  const first = aloneInCheckout(async () => {
    begun.resolve()
    await mayEnd.promise
    ended.push('first')
  }, options)
  await begun.promise
  const others = ['second', 'third'].map((name) => aloneInCheckout(async () => void ended.push(name), options))
  await vi.waitFor(() => expect(lines).toHaveLength(2))
  expect(ended).toEqual([])
  mayEnd.resolve()
  await Promise.all([first, ...others])
  expect(ended[0]).toBe('first')
  expect(ended).toHaveLength(3)
  expect(lines).toEqual(Array(2).fill(`• waiting for another set-up or build in this checkout (pid ${process.pid})\n`))
  expect(readdirSync(dirname(options.file))).toEqual([])
})

it('waits for another process, and takes over from it when it is killed', async () => {
  const file = lockFile()
  const holding = `
    import { aloneInCheckout } from ${JSON.stringify(join(import.meta.dirname, 'set-up-lock.mjs'))}
    await aloneInCheckout(() => new Promise(() => { console.log('held'); setInterval(() => {}, 1000) }), { file: ${JSON.stringify(file)} })`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', holding], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const lines = spokenLines()
  const work = vi.fn(async () => 'done')
  const result = aloneInCheckout(work, { file, everyMs: 1 })
  await vi.waitFor(() => expect(lines.join()).toContain(`(pid ${holder.pid})`))
  expect(work).not.toHaveBeenCalled()
  holder.kill('SIGKILL')
  await once(holder, 'close')
  expect(await result).toBe('done')
  expect(lstatSync(file, { throwIfNoEntry: false })).toBeUndefined()
})

it.each([
  ['a process that has ended', () => `${spawnSync(process.execPath, ['-e', '']).pid} 1`],
  ['an earlier process of the same number', () => `${process.pid} 1`],
  ['what is no process', () => 'nobody'],
])('does not wait for %s', async (_, holder) => {
  const lines = spokenLines()
  const file = join(directory, `stale-${locks++}.lock`)
  symlinkSync(holder(), file)
  expect(await aloneInCheckout(async () => 'done', { file })).toBe('done')
  expect(lines).toEqual([])
})

it('gives up the lock when the work fails', async () => {
  const file = lockFile()
  const failure = new Error('the build failed')
  await expect(aloneInCheckout(() => Promise.reject(failure), { file })).rejects.toBe(failure)
  expect(lstatSync(file, { throwIfNoEntry: false })).toBeUndefined()
})
