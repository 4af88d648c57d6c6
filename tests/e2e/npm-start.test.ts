import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { runProgram } from './cli-process.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

it('npm start refuses options that it does not know, before it sets anything up', async () => {
  const { code, out, err } = await runProgram(process.execPath, ['scripts/start.mjs', '--bogus'], { cwd: root })
  expect([code, out]).toEqual([1, ''])
  expect(err).toMatch(/does not know --bogus\.\n\nnpm start .*\nnpm start -- --once/)
  const help = await runProgram(process.execPath, ['scripts/start.mjs', '--help'], { cwd: root })
  expect([help.code, help.err]).toEqual([0, ''])
  expect(help.out).toContain('npm start -- --once')
})

it('the main job, read by a program that stops early, leaves neither servers nor files behind', async () => {
  const temp = mkdtempSync(join(tmpdir(), 'holdfast-start-'))
  chmodSync(temp, 0o755) // the server runs as another user
  const { PATH, HOME } = process.env
  const env = { PATH: `${join(root, 'node_modules/.bin')}:${PATH}`, HOME, TMPDIR: temp }
  const child = spawn(process.execPath, ['scripts/demo/main.ts', '--once'], { cwd: root, env })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk
  })
  const closed = once(child, 'close')
  await Promise.race([once(child.stdout, 'data'), closed])
  child.stdout.destroy()
  const [code] = (await closed) as [number | null]
  expect(said).not.toMatch(/EPIPE|at .*\.ts:/)
  expect(code).toBe(130)
  expect(readdirSync(temp).filter((name) => !/^(?:node-compile-cache|holdfast-\d+)/.test(name))).toEqual([])
  rmSync(temp, { recursive: true })
})
