import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const runSources = fileURLToPath(new URL('../../packages/core/test/run-sources.mjs', import.meta.url))

/** Looks for a program while no descriptor is free, and again when there are some. */
const script = (driver: string, name: string): string => `
  import { closeSync, openSync } from 'node:fs'
  import { findTools } from '@holdfast/${driver}'
  const told = async () => {
    try {
      return (await findTools('${name}')).length > 0 ? 'found' : 'nothing'
    } catch (error) {
      return error.code + ': ' + error.message
    }
  }
  const held = []
  try {
    for (;;) held.push(openSync('/dev/null'))
  } catch {}
  const without = await told()
  for (const descriptor of held) closeSync(descriptor)
  console.log(JSON.stringify([without, await told()]))`

describe.runIf(process.platform === 'linux')('a process with too many open files', () => {
  it.each([
    ['driver-postgres', 'pg_dump'],
    ['driver-mysql', 'dump'],
  ])('takes no program for missing, then or later: %s', (driver, name) => {
    const node = ['--no-warnings', '--conditions=holdfast-source', '--import', runSources, '--input-type=module']
    const out = execFileSync(
      '/bin/sh',
      ['-c', 'ulimit -n 96; exec "$@"', '-', process.execPath, ...node, '-e', script(driver, name)],
      { cwd: fileURLToPath(new URL('.', import.meta.url)), encoding: 'utf8' },
    )
    expect(JSON.parse(out)).toEqual([expect.stringMatching(/^dump-failed: .*too many files are open$/), 'found'])
  })
})
