import { describe, expect, it } from 'vitest'
import { jobOn, run } from '../../../test/engine.js'
import { BackupError } from '../../backup-error.js'
import type { Driver, DumpPart, RestoreRequest } from '../../driver/driver.js'
import type { Manifest } from '../../layout/manifest.js'
import { createRunContext } from '../../run-context.js'
import { type MemoryDatabase, memoryDriver } from '../../testing/memory-driver.js'
import { memoryStorage } from '../../testing/memory-storage.js'
import { runTestRestore, type TestedCopy } from './test-restore.js'

const ctx = createRunContext()
const text = '= table orders\ncreate\n= rows of orders (id)\n1\n= owner of table orders\nme'

interface Case {
  readonly source: Driver
  readonly beside: Map<string, MemoryDatabase>
  /** Backs up once, and restores for a test. */
  test(changes?: { readonly on?: Driver; readonly manifest?: Partial<Manifest> }): Promise<TestedCopy>
}

function aCase(dump: object = {}): Case {
  const disk = memoryStorage()
  const beside = new Map<string, MemoryDatabase>()
  const source = memoryDriver({ name: 'shop', database: { content: Buffer.from(text), beside } })
  return {
    source,
    beside,
    async test({ on = source, manifest: changes } = {}) {
      const { manifest } = await run(jobOn([disk], { source, dump }))
      return await runTestRestore({ manifest: { ...manifest, ...changes }, storage: disk, on, elsewhere: false }, ctx)
    },
  }
}

/** A driver whose scratches are changed. */
function withScratch(source: Driver, change: (scratch: Driver) => Partial<Driver>): Driver {
  return {
    ...source,
    async scratch(options, scratchCtx) {
      const made = await source.scratch!(options, scratchCtx)
      return { ...made, driver: { ...made.driver, ...change(made.driver) } }
    },
  }
}

/** Of a dump whose parts are not those of the driver. */
const ended = Promise.resolve({ serverVersion: '1.0', tools: {}, warnings: [], options: {}, recover: '' })

const refused = new BackupError('restore-refused', { message: 'there is no role me' })

describe('a test restore', () => {
  it('leaves owners and grants out where the server lacks the roles, and says so', async () => {
    const { source, test, beside } = aCase()
    const asked: RestoreRequest[] = []
    const on = withScratch(source, ({ restore, dump }) => ({
      async restore(from, request, given) {
        asked.push(request)
        if (!request.noOwner) throw refused
        return restore(from, request, given)
      },
      async dump(request, given) {
        const session = await dump(request, given)
        const take = (): ReturnType<DumpPart['take']> => ({ kind: 'stream', body: bytes(text.replace(/me$/, 'you')) })
        return { ...session, done: ended, parts: parts({ name: 'dump', mediaType: 'text/plain', take }) }
      },
    }))
    const { test: result } = await test({ on })
    expect(asked).toEqual([{ mode: 'create' }, { mode: 'create', noOwner: true, noPrivileges: true }])
    expect(result).toMatchObject({
      status: 'proven',
      notes: [expect.stringContaining('there is no role me'), expect.stringContaining('owner of table orders')],
    })
    expect(beside.size).toBe(0)
  })

  it.each([
    ['refuses it with them and without', refused, refused],
    ['refuses it with them, and fails without', new BackupError('source-unreachable', { message: 'gone' }), undefined],
  ])('says nothing of the backup where the server %s', async (_, second, expected) => {
    const { source, test, beside } = aCase()
    const on = withScratch(source, () => ({
      restore: async (_from, { noOwner }) => {
        throw noOwner ? second : refused
      },
    }))
    await expect(test({ on })).rejects.toBe(expected ?? second)
    expect(beside.size).toBe(0)
  })

  it('says nothing of the backup where the restore may go well another time', async () => {
    const { source, test, beside } = aCase()
    const lost = new BackupError('restore-failed', { message: 'the server was restarted', retryable: true })
    const on = withScratch(source, () => ({ restore: () => Promise.reject(lost) }))
    await expect(test({ on })).rejects.toBe(lost)
    expect(beside.size).toBe(0)
  })

  it('looks into the dump by itself where the restore did not read it to its end', async () => {
    const { source, test } = aCase()
    const on = withScratch(source, ({ restore }) => ({
      async restore(from, request, given) {
        for await (const _ of from.open('dump', given)) break
        return restore({ ...from, open: () => bytes(text) }, request, given)
      },
    }))
    expect(await test({ on })).toMatchObject({
      test: { status: 'proven', sections: 3 },
      parts: [{ name: 'dump', plainBytes: text.length }],
    })
  })

  it('does not call a copy damaged of which the driver wants a part that is not in it', async () => {
    const { source, test } = aCase()
    const on = withScratch(source, () => ({
      async restore(from) {
        from.open('globals.sql', ctx)
        return { created: true, warnings: [], tools: {} }
      },
    }))
    await expect(test({ on })).rejects.toMatchObject({ code: 'no-match' })
  })

  it('does not call proven what had nothing to compare, save for a database without anything', async () => {
    const { source, test } = aCase({ inventory: 'none' })
    const blind: Driver = {
      ...source,
      async sections(_part, body) {
        for await (const _ of body);
        return []
      },
    }
    expect((await test({ on: blind })).test).toMatchObject({
      status: 'differs',
      sections: 0,
      differences: [{ section: 'dump', problem: 'nothing was found in it that could be compared' }],
    })
    const on = withScratch(blind, ({ probe }) => ({
      async probe(given) {
        const { database, ...rest } = await probe(given)
        return { ...rest, ...(database && { database: { ...database, empty: true } }) }
      },
    }))
    expect((await test({ on })).test.status).toBe('proven')
  })

  it('does without counts where the backup has none', async () => {
    expect((await aCase({ inventory: 'none' }).test()).test).toMatchObject({ status: 'proven', differences: [] })
  })

  it('reads the part it knows of a dump with several, however it is offered', async () => {
    const { source, test } = aCase()
    let readToo = false
    async function* further(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('roles')
      readToo = true
    }
    const on = withScratch(source, ({ dump }) => ({
      async dump(request, given) {
        const output = { read: () => bytes(text), startInto() {}, done: Promise.resolve() }
        return {
          ...(await dump(request, given)),
          done: ended,
          parts: parts(
            { name: 'globals.sql', mediaType: 'text/plain', take: () => ({ kind: 'stream', body: further() }) },
            { name: 'dump', mediaType: 'text/plain', take: () => ({ kind: 'process', output }) },
          ),
        }
      },
    }))
    expect((await test({ on })).test.status).toBe('proven')
    expect(readToo).toBe(true)
    const empty = withScratch(source, ({ dump }) => ({
      dump: async (request, given) => ({ ...(await dump(request, given)), parts: parts() }),
    }))
    await expect(test({ on: empty })).rejects.toMatchObject({ code: 'internal' })
  })

  it.each([
    ['the same', text, 'proven'],
    ['another', text.replace('\n1\n', '\n2\n'), 'differs'],
  ])('ends where a part follows the one that is compared, of %s content', async (_, restored, status) => {
    const { source, test } = aCase()
    const on = withScratch(source, ({ database: name }) => ({
      dump: memoryDriver({
        name,
        database: { content: Buffer.from(restored) },
        parts: () => [
          { name: 'dump', body: bytes(restored) },
          { name: 'globals.sql', body: bytes('roles') },
        ],
      }).dump,
    }))
    expect((await test({ on })).test.status).toBe(status)
  })

  it.each([
    ['15.4', '15.10', 'differs'],
    ['15.4', '16.1', 'proven'],
    ['10.6.1', '10.6.9', 'differs'],
    ['10.6.1', '10.11.2', 'proven'],
  ])('compares the wording of definitions of %s and %s: %s', async (taken, restored, status) => {
    const { source, test } = aCase()
    const on = withScratch(source, ({ probe, dump }) => ({
      probe: async (given) => ({ ...(await probe(given)), version: restored }),
      async dump(request, given) {
        const take = (): ReturnType<DumpPart['take']> => ({
          kind: 'stream',
          body: bytes(text.replace('create', 'make')),
        })
        const session = await dump(request, given)
        return { ...session, done: ended, parts: parts({ name: 'dump', mediaType: 'text/plain', take }) }
      },
    }))
    expect((await test({ on, manifest: { serverVersion: taken } })).test.status).toBe(status)
  })

  it('is refused, before anything is begun, by what cannot make it', async () => {
    const { source, test, beside } = aCase()
    const { scratch: _, ...scratchless } = source
    await expect(test({ on: scratchless })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(/no test restores/),
    })
    await expect(test({ on: { ...source, engine: 'mysql' } })).rejects.toMatchObject({
      message: expect.stringMatching(/is of memory/),
    })
    await expect(test({ manifest: { parts: [] } })).rejects.toMatchObject({ code: 'manifest-invalid' })
    const { manifest } = await run(jobOn([memoryStorage()], { source }))
    const locked = manifest.parts.map((part) => ({ ...part, cipher: { id: 'age', keyIds: ['age1x'] } }))
    await expect(test({ manifest: { parts: locked } })).rejects.toMatchObject({ code: 'wrong-key' })
    expect(beside.size).toBe(0)
  })
})

async function* parts(...given: readonly DumpPart[]): AsyncGenerator<DumpPart> {
  yield* given
}

async function* bytes(content: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(content)
}
