import { expect, it } from 'vitest'
import { BackupError } from '../backup-error.js'
import type { Driver } from '../driver/driver.js'
import { createRunContext } from '../run-context.js'
import { memoryDriver } from '../testing/memory-driver.js'
import { type Assertion, failedAssertions, requireAssertions, requireQuery } from './assertions.js'

const ctx = createRunContext()
const plain = memoryDriver({ database: { content: undefined } })

function answering(rows: readonly Readonly<Record<string, unknown>>[]): Driver {
  return { ...plain, query: async () => rows }
}

it.each([true, 1, -1, 3n, '7', 't', 'true', '0.5'])('SQL holds when its one value is %s', async (value) => {
  expect(await failedAssertions(['select x'], answering([{ x: value, y: 0 }]), ctx)).toEqual([])
})

it.each([false, 0, 0n, '0', 'f', 'false', '', 'yes', null, new Date(0)])('SQL fails when it is %s', async (value) => {
  expect(await failedAssertions([' select x '], answering([{ x: value }]), ctx)).toEqual([
    { assertion: 'select x', problem: expect.stringContaining('it returned') },
  ])
})

it('SQL fails without a row, and with two', async () => {
  for (const rows of [[], [{ x: true }, { x: true }]]) {
    const [failed] = await failedAssertions(['select x'], answering(rows), ctx)
    expect(failed?.problem).toBe(`it returned ${rows.length} rows instead of one`)
  }
})

it('functions hold unless they throw or give false', async () => {
  const good: Assertion[] = [() => undefined, async ({ query }) => (await query('select x')).length === 1]
  expect(await failedAssertions(good, answering([{ x: 1 }]), ctx)).toEqual([])
  const bad: Assertion[] = [
    function neverTrue() {
      return false
    },
    () => {
      throw new Error('three orders are lost')
    },
  ]
  expect(await failedAssertions(bad, plain, ctx)).toEqual([
    { assertion: 'neverTrue', problem: 'it gave false' },
    { assertion: 'a function without a name', problem: 'three orders are lost' },
  ])
})

it('names everything that does not hold', async () => {
  await expect(requireAssertions(['select a', 'select b'], answering([{ x: 0 }]), ctx)).rejects.toMatchObject({
    code: 'restore-failed',
    message: expect.stringMatching(/select a: it returned 0; select b/),
  })
  await expect(requireAssertions([], plain, ctx)).resolves.toBeUndefined()
})

it('refuses SQL where the driver runs none', () => {
  expect(() => requireQuery(['select 1'], plain)).toThrow(/runs no statements/)
  expect(() => requireQuery([() => true], plain)).not.toThrow()
})

it('passes on what is no answer', async () => {
  const gone = new BackupError('source-unreachable', { message: 'the server went away', retryable: true })
  await expect(failedAssertions([() => Promise.reject(gone)], plain, ctx)).rejects.toBe(gone)
  const aborted = createRunContext({ signal: AbortSignal.abort(new Error('enough')) })
  await expect(failedAssertions([() => Promise.reject(gone)], plain, aborted)).rejects.toThrow('enough')
})
