import assert from 'node:assert/strict'
import type { RestoreMode } from '../../driver/driver.js'
import type { DriverCase, TargetKind } from './driver-case.js'
import { assertNoChildren, assertRejectsWith, rejectionOf } from './expect-driver.js'
import { damagedBackup, memoryBackup, stallingBackup } from './memory-backup.js'

const shares = [0, 0.3, 0.99, 1]
const ways: readonly (readonly [kind: TargetKind, mode: RestoreMode])[] = [
  ['absent', 'create'],
  ['empty', 'create'],
  ['filled', 'clean'],
]

/** Restores that end well, and those that must change nothing. */
export const restoreCases: readonly DriverCase[] = [
  ...ways.slice(0, 2).map(
    ([kind, mode]): DriverCase => ({
      name: `restore: ${mode} into a database that is ${kind} gives the source back`,
      async run(env) {
        const backup = await memoryBackup(env.source, { inventory: 'checksums' }, env.ctx)
        const target = await env.target(kind)
        const report = await target.restore(backup, { mode }, env.ctx)
        assert.equal(report.created, kind === 'absent')
        assert.equal(await env.fingerprint(target), await env.fingerprint(env.source))
        const again = await memoryBackup(target, { inventory: 'checksums' }, env.ctx)
        assert.deepEqual(again.manifest.inventory, backup.manifest.inventory)
        await assertNoChildren(env)
      },
    }),
  ),
  ...ways.map(
    ([kind, mode]): DriverCase => ({
      name: `restore: ${mode} of damaged data leaves a database that is ${kind} as it was`,
      async run(env) {
        const backup = await memoryBackup(env.source, {}, env.ctx)
        const target = await env.target(kind)
        const before = await env.fingerprint(target)
        for (const share of shares) {
          await assertRejectsWith(target.restore(damagedBackup(backup, share), { mode }, env.ctx), 'corrupt')
          assert.equal(await env.fingerprint(target), before, `damage after ${share} of the bytes`)
        }
        await assertNoChildren(env)
      },
    }),
  ),
  ...ways.map(
    ([kind, mode]): DriverCase => ({
      name: `restore: an abort of ${mode} leaves a database that is ${kind} as it was, and no program`,
      async run(env) {
        const backup = await memoryBackup(env.source, {}, env.ctx)
        const target = await env.target(kind)
        const before = await env.fingerprint(target)
        const reason = new Error('changed my mind')
        const controller = new AbortController()
        const stalling = stallingBackup(backup, 0.8, () => controller.abort(reason))
        const restoring = target.restore(stalling, { mode }, { ...env.ctx, signal: controller.signal })
        assert.equal(await rejectionOf(restoring), reason)
        assert.equal(await env.fingerprint(target), before)
        await assertNoChildren(env)
      },
    }),
  ),
  {
    name: 'restore: create refuses a database that holds something',
    async run(env) {
      const backup = await memoryBackup(env.source, {}, env.ctx)
      const target = await env.target('filled')
      const before = await env.fingerprint(target)
      await assertRejectsWith(target.restore(backup, { mode: 'create' }, env.ctx), 'target-not-empty')
      assert.equal(await env.fingerprint(target), before)
    },
  },
  {
    name: 'contents: where present, names objects without a server',
    async run({ source, unreachable, ctx }) {
      const backup = await memoryBackup(source, {}, ctx)
      const names = await (unreachable ?? source).contents?.(backup, ctx)
      assert.ok(names === undefined || names.some(({ kind }) => kind === 'table'))
    },
  },
  {
    name: 'check: where present, passes a whole dump and not one that ends early',
    async run({ source, ctx }) {
      if (!source.check) return
      const backup = await memoryBackup(source, {}, ctx)
      const [part] = backup.parts
      assert.ok(part)
      await source.check(part, backup.open(part.name, ctx), ctx)
      const bytes = backup.bytes.get(part.name) ?? Buffer.alloc(0)
      for (const length of [0, 100, Math.floor(bytes.length / 2), bytes.length - 600]) {
        const cut = { ...backup, bytes: new Map([[part.name, bytes.subarray(0, length)]]) }
        await assertRejectsWith(source.check(part, streamOfBytes(cut.bytes.get(part.name)), ctx), 'corrupt')
      }
    },
  },
]

async function* streamOfBytes(bytes: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  if (bytes) yield bytes
}
