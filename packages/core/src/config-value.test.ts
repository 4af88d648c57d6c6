import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { secretProblem, secretValue } from './config-value.js'
import { Secret } from './secret.js'

afterEach(() => {
  vi.unstubAllEnvs()
})

const directory = mkdtempSync(join(tmpdir(), 'holdfast-secret-'))
afterAll(() => rmSync(directory, { recursive: true }))
const file = (content: string): string => {
  const path = join(directory, String(content.length))
  writeFileSync(path, content)
  return path
}

describe('a secret as a user may write it', () => {
  it('is read from where it is', () => {
    vi.stubEnv('HOLDFAST_TEST_SECRET', 'of the environment')
    const given = ['as it is', new Secret('wrapped'), { env: 'HOLDFAST_TEST_SECRET' }, { file: file('of a file\n') }]
    expect(given.map((value) => secretValue.parse(value).reveal())).toEqual([
      'as it is',
      'wrapped',
      'of the environment',
      'of a file',
    ])
    expect(given.map(secretProblem)).toEqual([undefined, undefined, undefined, undefined])
  })

  it.each<[object, string]>([
    [{ env: 'HOLDFAST_NOT_SET' }, 'the environment variable HOLDFAST_NOT_SET is not set'],
    [{ env: 'HOLDFAST_EMPTY' }, 'the environment variable HOLDFAST_EMPTY is set, but empty'],
    [{ file: '/nowhere/secret' }, 'the file /nowhere/secret cannot be read (ENOENT)'],
    [{ file: file('') }, `the file ${join(directory, '0')} is empty`],
  ])('that this host lacks is told: %j', (value, problem) => {
    vi.stubEnv('HOLDFAST_EMPTY', '')
    expect(secretProblem(value)).toBe(problem)
    expect(secretValue.safeParse(value).error?.issues[0]?.message).toBe(problem)
  })

  it('is none where it has another shape: that is for the schema to say', () => {
    expect([null, 7, {}, { env: 7 }, undefined].map(secretProblem)).toEqual(Array.from({ length: 5 }))
    expect(secretValue.safeParse({ env: 'A', file: 'b' }).success).toBe(false)
  })
})
