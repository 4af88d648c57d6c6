import { randomBytes } from 'node:crypto'
import { describe, it } from 'vitest'
import { createRunContext } from '../run-context.js'
import type { DriverCaseEnv } from './driver/driver-case.js'
import { stagedCases } from './driver/staged-cases.js'
import { type MemoryDatabase, memoryDriver } from './memory-driver.js'

const content = randomBytes(1_000_000)

describe('the memory driver keeps what a driver promises of scratches and swaps', () => {
  const databases = new Map<string, MemoryDatabase>()
  const make = (name: string, bytes: Uint8Array | undefined): ReturnType<typeof memoryDriver> => {
    const database: MemoryDatabase = { content: bytes, beside: new Map() }
    databases.set(name, database)
    return memoryDriver({ name, database })
  }
  let count = 0
  const env: DriverCaseEnv = {
    source: make('source', content),
    target: async (kind) =>
      make(`target${++count}`, { absent: undefined, empty: new Uint8Array(), filled: randomBytes(1000) }[kind]),
    fingerprint: async ({ database }) => {
      const beside = [...databases.values()].flatMap((each) => [...(each.beside ?? [])])
      const found = databases.get(database) ?? new Map(beside).get(database)
      return Buffer.from(found?.content ?? []).toString('hex') || 'absent'
    },
    ctx: createRunContext(),
  }

  for (const { name, run } of stagedCases) it(name, () => run(env))
})
