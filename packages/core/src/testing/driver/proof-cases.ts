import assert from 'node:assert/strict'
import type { Driver, DumpSection } from '../../driver/driver.js'
import type { RunContext } from '../../run-context.js'
import type { DriverCase } from './driver-case.js'
import { assertNoChildren, assertRejectsWith } from './expect-driver.js'
import { damagedBackup, type MemoryBackup, memoryBackup } from './memory-backup.js'

/** What a driver promises that can tell what is in a dump: the proof of a restore rests on it. */
export const proofCases: readonly DriverCase[] = [
  {
    name: 'sections: where present, each dump of a database has the same, under names of their own',
    async run(env) {
      const once = await sectionsOf(env.source, await memoryBackup(env.source, {}, env.ctx), env.ctx)
      const twice = await sectionsOf(env.source, await memoryBackup(env.source, {}, env.ctx), env.ctx)
      assert.deepEqual(byName(twice), byName(once))
      assert.equal(new Set(once.map(({ name }) => name)).size, once.length, 'names are unique')
      assert.ok(once.every(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256)))
      await assertNoChildren(env)
    },
  },
  {
    name: 'sections: where present, they need no server',
    async run({ source, unreachable, ctx }) {
      const backup = await memoryBackup(source, {}, ctx)
      assert.deepEqual(await sectionsOf(unreachable ?? source, backup, ctx), await sectionsOf(source, backup, ctx))
    },
  },
  {
    name: 'sections: where present, they are those of the source once it was restored, save for the order of rows',
    async run({ source, target, ctx }) {
      const backup = await memoryBackup(source, {}, ctx)
      const restored = await target('absent')
      await restored.restore(backup, { mode: 'create' }, ctx)
      const again = await memoryBackup(restored, {}, ctx)
      const [before, after] = [await sectionsOf(source, backup, ctx), await sectionsOf(source, again, ctx)]
      const unordered = new Set(before.filter(({ kind }) => kind === 'rows').map(({ name }) => name))
      assert.deepEqual(
        byName(await sectionsOf(source, again, ctx, unordered)),
        byName(await sectionsOf(source, backup, ctx, unordered)),
      )
      const schema = (sections: readonly DumpSection[]): object =>
        byName(sections.filter(({ kind }) => kind !== 'rows'))
      assert.deepEqual(schema(after), schema(before))
    },
  },
  {
    name: 'sections: where present, another database has others',
    async run({ source, target, ctx }) {
      const filled = await memoryBackup(await target('filled'), {}, ctx)
      const ours = await sectionsOf(source, await memoryBackup(source, {}, ctx), ctx)
      if (source.sections) assert.notDeepEqual(byName(await sectionsOf(source, filled, ctx)), byName(ours))
    },
  },
  {
    name: 'sections: where present, damage is an error and never a shorter list',
    async run({ source, ctx }) {
      if (!source.sections) return
      const backup = await memoryBackup(source, {}, ctx)
      for (const share of [0, 0.5, 1]) {
        await assertRejectsWith(sectionsOf(source, damagedBackup(backup, share), ctx), 'corrupt')
      }
    },
  },
  {
    name: 'rows: where present, a section with columns has rows, each as often as it stands in the dump',
    async run({ source, ctx }) {
      const { sections, rows } = source
      if (!sections || !rows) return
      const backup = await memoryBackup(source, {}, ctx)
      const [part] = backup.parts
      assert.ok(part)
      const tables = (await sectionsOf(source, backup, ctx)).filter(({ columns }) => columns !== undefined)
      const counts: number[] = []
      for (const { name, columns = [] } of tables.slice(0, 20)) {
        let count = 0
        const found: AsyncIterable<Uint8Array> = rows(part, backup.open(part.name, ctx), name, ctx)
        for await (const row of found) {
          count++
          if (columns.length > 1) assert.equal(Buffer.from(row).toString('latin1').split('\t').length, columns.length)
        }
        counts.push(count)
      }
      assert.ok(tables.length === 0 || counts.some((count) => count > 0), 'some table has rows')
    },
  },
]

async function sectionsOf(
  driver: Driver,
  backup: MemoryBackup,
  ctx: RunContext,
  unordered?: ReadonlySet<string>,
): Promise<readonly DumpSection[]> {
  const [part] = backup.parts
  assert.ok(part)
  return (await driver.sections?.(part, backup.open(part.name, ctx), ctx, unordered && { unordered })) ?? []
}

const byName = (sections: readonly DumpSection[]): object =>
  Object.fromEntries(sections.map((section) => [section.name, section]))
