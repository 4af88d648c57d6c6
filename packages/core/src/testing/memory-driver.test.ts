import { createHash } from 'node:crypto'
import { describe, it } from 'vitest'
import type { Driver } from '../driver/driver.js'
import { createRunContext } from '../run-context.js'
import type { DriverCaseEnv, TargetKind } from './driver/driver-case.js'
import { driverContract } from './driver-contract.js'
import { type MemoryDatabase, memoryDriver } from './memory-driver.js'

const rows = Array.from({ length: 60_000 }, (_, index) => `${index}\tnote of ${index}`)
const text = ['= table orders', 'create', '= rows of orders (id, note)', ...rows, '= owner of table orders', 'me']
const content = Buffer.from(text.join('\n'))

describe('the memory driver keeps what a driver promises', () => {
  const databases = new Map<string, MemoryDatabase>()
  const make = (name: string, bytes: Uint8Array | undefined): Driver => {
    const database: MemoryDatabase = { content: bytes, beside: new Map() }
    databases.set(name, database)
    return memoryDriver({ name, database })
  }
  const contents: Readonly<Record<TargetKind, Uint8Array | undefined>> = {
    absent: undefined,
    empty: new Uint8Array(),
    filled: Buffer.from('= table other\nmake'),
  }
  let count = 0
  const env: DriverCaseEnv = {
    source: make('source', content),
    target: async (kind) => make(`target${++count}`, contents[kind]),
    fingerprint: async ({ database }) => {
      const beside = [...databases.values()].flatMap((each) => [...(each.beside ?? [])])
      const found = databases.get(database) ?? new Map(beside).get(database)
      return found?.content ? createHash('sha256').update(found.content).digest('hex') : 'absent'
    },
    ctx: createRunContext(),
  }

  for (const { name, run } of driverContract) it(name, () => run(env))
})
