import assert from 'node:assert/strict'
import type { AsideDatabase, Driver } from '../../driver/driver.js'
import type { DriverCase, DriverCaseEnv } from './driver-case.js'
import { assertNoChildren, assertRejectsWith, rejectionOf } from './expect-driver.js'
import { damagedBackup, memoryBackup, stallingBackup } from './memory-backup.js'
import { restoreReplacing, restoreStaged } from './staged.js'

/** Scratch databases, and restores that put one in the place of a database. */
export const stagedCases: readonly DriverCase[] = [
  {
    name: 'scratch: where present, an empty database beside this one, gone when disposed of',
    async run(env) {
      if (!env.source.scratch) return
      const before = await env.fingerprint(env.source)
      const backup = await memoryBackup(env.source, {}, env.ctx)
      const scratch = await env.source.scratch({ manifest: backup.manifest, toSwap: false }, env.ctx)
      try {
        assert.equal((await scratch.driver.probe(env.ctx)).database?.empty, true)
        await scratch.driver.restore(backup, { mode: 'create' }, env.ctx)
        assert.equal(await env.fingerprint(scratch.driver), before)
      } finally {
        await scratch[Symbol.asyncDispose]()
      }
      assert.equal((await scratch.driver.probe(env.ctx)).database, undefined)
      assert.equal(await env.fingerprint(env.source), before)
    },
  },
  staged('a swap gives the database the new content, and the old one stays', async (env, target) => {
    const backup = await memoryBackup(env.source, { inventory: 'checksums' }, env.ctx)
    const begun = wholeSeconds(env)
    const { oldName } = await restoreStaged(target, backup, {}, env.ctx)
    assert.equal(await env.fingerprint(target), await env.fingerprint(env.source))
    const [aside, ...more] = await asidesOf(target, env)
    assert.deepEqual(more, [])
    assert.equal(aside?.name, oldName)
    assert.equal(aside?.kind, 'replaced')
    assert.ok(aside.since.getTime() >= begun && aside.since.getTime() <= env.ctx.clock.now().getTime() + 5000)
    assert.ok(aside.sizeBytes > 0)
    await assertNoChildren(env)
  }),
  staged('until when the old one is kept is noted with it, or not promised', async (env, target) => {
    const backup = await memoryBackup(env.source, {}, env.ctx)
    const keepUntil = new Date(wholeSeconds(env) + 604_800_000)
    const replaced = await restoreStaged(target, backup, { keepUntil }, env.ctx)
    const [aside] = await asidesOf(target, env)
    assert.deepEqual(aside?.keepUntil, replaced.keepUntil)
    if (replaced.keepUntil) assert.deepEqual(replaced.keepUntil, keepUntil)
  }),
  staged('what was replaced takes its place again, and back', async (env, target, before) => {
    const backup = await memoryBackup(env.source, {}, env.ctx)
    await restoreStaged(target, backup, {}, env.ctx)
    const after = await env.fingerprint(target)
    await takeBackNewest(target, env)
    assert.equal(await env.fingerprint(target), before)
    await takeBackNewest(target, env)
    assert.equal(await env.fingerprint(target), after)
    assert.equal((await asidesOf(target, env)).length, 1)
  }),
  staged('every restore puts something aside, newest first, until it is dropped', async (env, target) => {
    const backup = await memoryBackup(env.source, {}, env.ctx)
    const names = [undefined, undefined].map(() => '')
    for (const index of names.keys()) names[index] = (await restoreStaged(target, backup, {}, env.ctx)).oldName ?? ''
    const asides = await asidesOf(target, env)
    assert.deepEqual(
      asides.map(({ name }) => name),
      names.toReversed(),
    )
    for (const aside of asides) await aside.drop(env.ctx)
    assert.deepEqual(await asidesOf(target, env), [])
    assert.equal(await env.fingerprint(target), await env.fingerprint(env.source))
  }),
  staged(
    'a scratch that is not swapped in leaves the database as it was, and nothing beside it',
    async (env, target, before) => {
      const backup = await memoryBackup(env.source, {}, env.ctx)
      await using scratch = await target.scratch?.({ manifest: backup.manifest, toSwap: true }, env.ctx)
      await scratch?.driver.restore(backup, { mode: 'create' }, env.ctx)
      assert.equal(await env.fingerprint(target), before)
      await scratch?.[Symbol.asyncDispose]()
      assert.equal(await env.fingerprint(target), before)
      assert.deepEqual(await asidesOf(target, env), [])
    },
  ),
  staged('damaged data leaves the database as it was, and nothing beside it', async (env, target, before) => {
    const backup = await memoryBackup(env.source, {}, env.ctx)
    for (const share of [0, 0.3, 0.99, 1]) {
      await assertRejectsWith(restoreStaged(target, damagedBackup(backup, share), {}, env.ctx), 'corrupt')
      assert.equal(await env.fingerprint(target), before, `damage after ${share} of the bytes`)
      assert.deepEqual(await asidesOf(target, env), [])
    }
    await assertNoChildren(env)
  }),
  staged('an abort leaves the database as it was, nothing beside it, and no program', async (env, target, before) => {
    const backup = await memoryBackup(env.source, {}, env.ctx)
    const reason = new Error('changed my mind')
    const controller = new AbortController()
    const stalling = stallingBackup(backup, 0.8, () => controller.abort(reason))
    const restoring = restoreStaged(target, stalling, {}, { ...env.ctx, signal: controller.signal })
    assert.equal(await rejectionOf(restoring), reason)
    assert.equal(await env.fingerprint(target), before)
    assert.deepEqual(await asidesOf(target, env), [])
    await assertNoChildren(env)
  }),
  staged('what is replaced for good is gone', async (env, target) => {
    const backup = await memoryBackup(env.source, {}, env.ctx)
    await restoreReplacing(target, backup, {}, env.ctx)
    assert.equal(await env.fingerprint(target), await env.fingerprint(env.source))
    assert.deepEqual(await asidesOf(target, env), [])
  }),
  {
    name: 'preflight: where present, finds no problem where a restore works, and changes nothing',
    async run(env) {
      const backup = await memoryBackup(env.source, {}, env.ctx)
      for (const [kind, mode] of [
        ['absent', 'create'],
        ['empty', 'create'],
        ['filled', 'staged'],
      ] as const) {
        const target = await env.target(kind)
        if (!target.preflight || (mode === 'staged' && !target.asides)) continue
        const before = await env.fingerprint(target)
        assert.deepEqual((await target.preflight(backup, { mode }, env.ctx)).problems, [])
        assert.equal(await env.fingerprint(target), before)
      }
    },
  },
]

/** A case for drivers whose scratches can be swapped in, on a database that holds something. */
function staged(name: string, run: (env: DriverCaseEnv, target: Driver, before: string) => Promise<void>): DriverCase {
  return {
    name: `staged: where present, ${name}`,
    async run(env) {
      if (!env.source.scratch || !env.source.asides) return
      const target = await env.target('filled')
      await run(env, target, await env.fingerprint(target))
    },
  }
}

async function asidesOf(target: Driver, { ctx }: DriverCaseEnv): Promise<readonly AsideDatabase[]> {
  return (await target.asides?.(ctx)) ?? []
}

async function takeBackNewest(target: Driver, env: DriverCaseEnv): Promise<void> {
  const newest = (await asidesOf(target, env)).find(({ kind }) => kind === 'replaced')
  assert.ok(newest?.takeBack, 'what was replaced can be taken back')
  const { oldName } = await newest.takeBack({ terminateConnections: false }, env.ctx)
  assert.ok(
    (await asidesOf(target, env)).some(({ name }) => name === oldName),
    'what was there is put aside in its turn',
  )
}

/** Ids are whole seconds. */
function wholeSeconds({ ctx }: DriverCaseEnv): number {
  return Math.floor(ctx.clock.now().getTime() / 1000) * 1000
}
