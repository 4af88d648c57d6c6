import { createRunContext } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { prepareProgram } from './programs.js'
import type { ToolName } from './tools.js'

describe('prepareProgram', () => {
  it.each<[ToolName, number | undefined]>([
    ['pg_dump', 1_800_000],
    ['pg_dumpall', 1_800_000],
    ['pg_restore', undefined], // moves no byte while the server builds an index
    ['psql', undefined],
  ])('limits how long %s may be idle to %s ms', async (name, limit) => {
    const tool = { name, path: `/bin/${name}`, version: '15.0', major: 15 }
    await using program = await prepareProgram(
      { tool, args: [], failure: 'restore-failed' },
      { totalTimeout: 5 },
      createRunContext(),
    )
    expect(program.spec).toMatchObject({ idleTimeoutMs: limit, totalTimeoutMs: 5 })
  })
})
