import assert from 'node:assert/strict'
import { isBackupError } from '../../backup-error.js'
import type { DriverCase } from './driver-case.js'
import { assertNoChildren, interruptedDump, readParts, rejectionOf } from './expect-driver.js'
import { memoryBackup, streamOfPart } from './memory-backup.js'

/** Dumps that end well, and those that do not. */
export const dumpCases: readonly DriverCase[] = [
  {
    name: 'dump: nothing runs until a part is taken and read, and nothing afterwards',
    async run(env) {
      await using session = await env.source.dump({}, env.ctx)
      const taken = []
      for await (const part of session.parts) {
        await assertNoChildren(env)
        const stream = streamOfPart(part)
        await assertNoChildren(env)
        for await (const chunk of stream) taken.push(chunk.byteLength)
      }
      await session.done
      await assertNoChildren(env)
      assert.ok(taken.length > 0, 'there were bytes')
    },
  },
  {
    name: 'dump: a part is taken once',
    async run({ source, ctx }) {
      await using session = await source.dump({}, ctx)
      session.done.catch(() => {})
      for await (const part of session.parts) {
        part.take()
        assert.throws(() => part.take())
        return
      }
    },
  },
  {
    name: 'dump: the report names version, tools and how to restore by hand',
    async run({ source, ctx }) {
      await using session = await source.dump({}, ctx)
      await readParts(session)
      const report = await session.done
      assert.equal(report.serverVersion, (await source.probe(ctx)).version)
      assert.notEqual(report.recover, '')
      assert.deepEqual(JSON.parse(JSON.stringify(report.options)), report.options, 'options are JSON')
    },
  },
  {
    name: 'dump: the inventory lists each table once, and is asked for',
    async run({ source, ctx }) {
      const without = await memoryBackup(source, {}, ctx)
      assert.equal(without.manifest.inventory, undefined)
      for (const level of ['counts', 'checksums'] as const) {
        const { inventory } = (await memoryBackup(source, { inventory: level }, ctx)).manifest
        assert.equal(inventory?.level, level)
        const names = inventory.tables.map(({ schema, name }) => JSON.stringify([schema, name]))
        assert.equal(new Set(names).size, names.length)
        assert.ok(inventory.tables.some(({ rows }) => rows > 0))
        assert.ok(inventory.tables.every(({ checksum }) => (checksum !== undefined) === (level === 'checksums')))
      }
    },
  },
  {
    name: 'dump: a program that is killed in the middle ends in an error',
    async run(env) {
      const { children } = env
      if (!children) return
      const kill = async (): Promise<void> => {
        for (const pid of await children()) process.kill(pid, 'SIGKILL')
      }
      const error = await rejectionOf(interruptedDump(env.source, kill, env.ctx))
      assert.ok(isBackupError(error, 'dump-failed'), `got ${error}`)
      await assertNoChildren(env)
    },
  },
  {
    name: 'dump: an abort in the middle rethrows its reason and leaves no program',
    async run(env) {
      const reason = new Error('changed my mind')
      const controller = new AbortController()
      const ctx = { ...env.ctx, signal: controller.signal }
      const abort = async (): Promise<void> => controller.abort(reason)
      assert.equal(await rejectionOf(interruptedDump(env.source, abort, ctx)), reason)
      await assertNoChildren(env)
    },
  },
  {
    name: 'dump: disposing in the middle leaves no program, and no dump that ended well',
    async run(env) {
      const session = await env.source.dump({ inventory: 'counts' }, env.ctx)
      const ended = rejectionOf(session.done)
      for await (const part of session.parts) {
        for await (const _ of streamOfPart(part)) break
        break
      }
      await session[Symbol.asyncDispose]()
      await ended
      await assertNoChildren(env)
    },
  },
  {
    name: 'dump: disposing of what was never read is quiet',
    async run(env) {
      const session = await env.source.dump({ inventory: 'counts' }, env.ctx)
      await session[Symbol.asyncDispose]()
      await rejectionOf(session.done)
      await assertNoChildren(env)
    },
  },
]
