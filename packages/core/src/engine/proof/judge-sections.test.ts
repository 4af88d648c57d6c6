import { describe, expect, it } from 'vitest'
import { streamOf } from '../../byte-stream.js'
import { createRunContext } from '../../run-context.js'
import { memoryDriver } from '../../testing/memory-driver.js'
import { type ComparedDump, judgeSections, type ProvingDriver } from './judge-sections.js'

const ctx = createRunContext()
const memory = memoryDriver({ database: { content: undefined } }) as ProvingDriver
const part = { name: 'dump', mediaType: 'text/plain' }

async function dumpOf(text: string): Promise<ComparedDump> {
  const body = (): ReturnType<typeof streamOf> => streamOf(Buffer.from(text))
  return { sections: await memory.sections(part, body(), ctx), again: (use) => use(part, body()) }
}

async function judge(
  before: string,
  after: string,
  driver: ProvingDriver = memory,
  sameVersion = true,
): Promise<object> {
  const judging = { driver, sameVersion, strictPlacement: false, ctx }
  return await judgeSections(await dumpOf(before), await dumpOf(after), judging)
}

describe('judgeSections', () => {
  const rows = (columns: string, row: string): string => `= rows of t (${columns})\n${row}`

  it('names what the restored database has and the dump has not', async () => {
    expect(await judge('= table t\na', '= table t\na\n= table u\nb')).toEqual({
      differences: [{ section: 'table u', problem: 'it is in the restored database alone' }],
      notes: [],
    })
  })

  it('looks for the row only where the driver can, and both tables have the same columns', async () => {
    const differs = { differences: [{ section: 'rows of t', problem: 'it differs' }], notes: [] }
    const { rows: _, ...rowless } = memory
    expect(await judge(rows('id', '1'), rows('id', '2'), rowless)).toEqual(differs)
    expect(await judge(rows('id', '1'), rows('key', '2'))).toEqual(differs)
    expect(await judge(rows('id', '1'), rows('id', '2'))).toMatchObject({ differences: [{ row: 1, column: 'id' }] })
  })

  it('does not take rows for the same that a second look does not find again', async () => {
    const forgetful: ProvingDriver = {
      ...memory,
      sections: async (...given) => (given[3]?.unordered ? [] : memory.sections(...given)),
    }
    expect(await judge(rows('id', '1'), rows('id', '2'), forgetful)).toMatchObject({
      differences: [{ section: 'rows of t', row: 1 }],
    })
  })

  it('names ten of the definitions that another version words differently, and counts the rest', async () => {
    const tables = (text: string): string => Array.from({ length: 12 }, (_, n) => `= table t${n}\n${text}`).join('\n')
    const [note] = ((await judge(tables('a'), tables('b'), memory, false)) as { notes: string[] }).notes
    expect(note).toMatch(/only rows were compared: table t0, .*, table t9 and 2 more$/)
  })
})
