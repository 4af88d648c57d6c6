import { beforeEach, expect, it } from 'vitest'
import { BackupError, type BackupErrorCode } from '../backup-error.js'
import { createRunContext } from '../run-context.js'
import { fromCopies } from './from-copies.js'
import type { RestoreCopy } from './restore-copy.js'

const copies = ['disk', 'offsite', 'third'].map((name) => ({ name }) as RestoreCopy)
let warnings: string[]
const nothing = (): void => {}
const log = { debug: nothing, info: nothing, error: nothing, warn: (line: string): void => void warnings.push(line) }
beforeEach(() => {
  warnings = []
})

/** Uses copies of which some have something wrong with them. */
const use = (wrong: Readonly<Record<string, readonly [BackupErrorCode, string]>>): Promise<string> =>
  fromCopies(
    copies,
    async ({ name }) => {
      const [code, message] = wrong[name] ?? []
      if (code) throw new BackupError(code, { message: message ?? '' })
      return name
    },
    createRunContext({ log }),
  )

it('goes on to the next copy, and says why', async () => {
  expect(await use({ disk: ['corrupt', 'its hash differs'] })).toBe('offsite')
  expect(warnings).toEqual(['The copy on disk cannot be used: its hash differs'])
})

it('says once what is wrong with all of them', async () => {
  const wrongKey = ['wrong-key', 'no key fits'] as const
  await expect(use({ disk: wrongKey, offsite: wrongKey, third: wrongKey })).rejects.toThrow('no key fits')
  expect(warnings).toEqual([])
  await expect(use({ disk: ['corrupt', 'damaged'], offsite: wrongKey, third: wrongKey })).rejects.toThrow('no key fits')
  expect(warnings).toEqual(['The copy on disk cannot be used: damaged'])
})

it("does not look further for what is no copy's fault, nor where there is none", async () => {
  await expect(use({ disk: ['target-in-use', 'busy'] })).rejects.toThrow('busy')
  await expect(fromCopies([], async () => 1, createRunContext())).rejects.toMatchObject({ code: 'not-found' })
})
