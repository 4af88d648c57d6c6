import { describe, expect, it } from 'vitest'
import { type Progress, trackProgress } from './progress.js'

const table = { kind: 'table', name: 't' } as const
const view = { kind: 'view', name: 'v' } as const

/** A dump that was passed on as a table, the place-holder of a view, its end, and the view. */
function passedOn(): { readonly progress: Progress; readonly said: readonly string[] } {
  const progress = trackProgress()
  const steps = [['create', table] as const, ['create', view] as const, ['drop', view] as const]
  const said = [...steps, ['create', view] as const].map(([verb, thing]) => progress.note(verb, thing))
  return { progress, said }
}

describe('how far a dump has come', () => {
  it('is what the client has said, and the next thing is in doubt', () => {
    const { progress, said } = passedOn()
    expect([progress.made, progress.doubtful]).toEqual([[], table])
    progress.read(said[0] ?? '')
    expect([progress.made, progress.doubtful]).toEqual([[table], view])
    progress.read([...(said[1] ?? '')].join('\0')) // in UTF-16
    expect([progress.made, progress.doubtful]).toEqual([[table, view], undefined])
    progress.read(said[2] ?? '')
    expect([progress.made, progress.doubtful]).toEqual([[table], view])
    progress.read(said[3] ?? '')
    expect([progress.made, progress.doubtful]).toEqual([[table, view], undefined])
  })

  it.each([
    ["ERROR 1050 (42S01) at line 3: Table 't' already exists", false],
    ['ERROR 3730 (HY000) at line 3: Cannot drop table', false],
    ['ERROR 2013 (HY000) at line 3: Lost connection to server during query', true],
    ['ERROR 1317 (70100) at line 3: Query execution was interrupted', true],
    ['Warning: ERROR 1050 (42S01)', true],
  ])('is not in doubt where the server has refused the next thing: %s', (line, isInDoubt) => {
    const { progress } = passedOn()
    progress.readError(line)
    expect(progress.doubtful).toEqual(isInDoubt ? table : undefined)
  })

  it('is not told by what else the client prints', () => {
    const { progress } = passedOn()
    for (const line of ['7', 'holdfast 4', trackProgress().note('create', table)]) progress.read(line)
    expect(progress.made).toEqual([])
  })

  it('knows what is of the dump', () => {
    const { progress } = passedOn()
    expect([progress.has(table), progress.has({ kind: 'view', name: 't' })]).toEqual([true, false])
    progress.note('drop', table)
    expect(progress.has(table)).toBe(false)
  })
})
