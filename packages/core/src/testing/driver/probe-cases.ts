import assert from 'node:assert/strict'
import { isBackupError } from '../../backup-error.js'
import type { DriverCase } from './driver-case.js'
import { assertRejectsWith, rejectionOf } from './expect-driver.js'

/** Asking a server about itself, and servers that do not answer. */
export const probeCases: readonly DriverCase[] = [
  {
    name: 'probe: tells version, size and tables',
    async run({ source, ctx }) {
      const { version, database } = await source.probe(ctx)
      assert.match(version, /^\d+\./)
      assert.ok(database, 'the database is there')
      assert.ok(database.sizeBytes > 0 && database.tables > 0 && !database.empty)
      assert.deepEqual(database.unreadable, [])
    },
  },
  {
    name: 'probe: tells an empty database from one that holds something',
    async run({ target, ctx }) {
      assert.equal((await (await target('empty')).probe(ctx)).database?.empty, true)
      assert.equal((await (await target('filled')).probe(ctx)).database?.empty, false)
    },
  },
  {
    name: 'probe: a database that does not exist is no error, dumping it is',
    async run({ target, ctx }) {
      const absent = await target('absent')
      assert.equal((await absent.probe(ctx)).database, undefined)
      await assertRejectsWith(absent.dump({}, ctx), 'source-missing')
    },
  },
  {
    name: 'a wrong password is source-denied',
    async run({ wrongPassword, ctx }) {
      if (!wrongPassword) return
      await assertRejectsWith(wrongPassword.probe(ctx), 'source-denied')
      await assertRejectsWith(wrongPassword.dump({}, ctx), 'source-denied')
    },
  },
  {
    name: 'a server that is not there is source-unreachable, and worth another try',
    async run({ unreachable, ctx }) {
      if (!unreachable) return
      for (const work of [unreachable.probe(ctx), unreachable.dump({}, ctx)]) {
        const error = await rejectionOf(work)
        assert.ok(isBackupError(error, 'source-unreachable') && error.retryable, `got ${error}`)
      }
    },
  },
  {
    name: 'an abort before the start rethrows its reason',
    async run({ source, ctx }) {
      const reason = new Error('changed my mind')
      const aborted = { ...ctx, signal: AbortSignal.abort(reason) }
      for (const work of [source.probe(aborted), source.dump({}, aborted)]) {
        assert.equal(await rejectionOf(work), reason)
      }
    },
  },
]
