import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import type { Cipher } from '../cipher/cipher.js'
import type { Driver, RestoreRequest } from '../driver/driver.js'
import { dumpFromStream, dumpOnDisk, dumpOnStorage } from '../foreign/dump-file.js'
import { createHoldfast } from '../holdfast.js'
import { createRunContext } from '../run-context.js'
import { memoryDriver } from '../testing/memory-driver.js'
import { memoryStorage } from '../testing/memory-storage.js'
import type { FileRestorePreview, RestoreFileOptions } from './restore-file.js'

const ctx = createRunContext()
const sqlite = Buffer.from('SQLite format 3\0 and its pages')

interface Target {
  content: Buffer | undefined
  readonly requests: RestoreRequest[]
  readonly driver: Driver
}

/** A database that takes what dumps of SQLite hold. */
function targetOf(content?: Buffer): Target {
  const target: Omit<Target, 'driver'> = { content, requests: [] }
  const { dump } = memoryDriver({ database: { content: undefined } })
  const driver: Driver = {
    engine: 'sqlite',
    display: './app.db',
    database: 'app.db',
    dump,
    async probe() {
      const empty = { sizeBytes: 1, encoding: 'UTF8', extensions: [], unreadable: [], connections: 0 }
      const database = target.content && { ...empty, tables: 1, empty: target.content.length === 0 }
      return { version: '3', superuser: true, ...(database && { database }) }
    },
    async restore(from, request, given) {
      target.content = await readAll(from.open('sqlite', given))
      target.requests.push(request)
      return { created: true, warnings: [], tools: {} }
    },
    async preflight() {
      return { problems: [], warnings: ['it is tight'] }
    },
  }
  return Object.assign(target, { driver })
}

const restore = async (
  file: Parameters<typeof dumpFromStream>[1] | ReturnType<typeof dumpOnDisk>,
  options: RestoreFileOptions,
) => {
  await using holdfast = createHoldfast({ jobs: {} })
  return await holdfast.restoreFile('open' in file ? file : dumpFromStream('stdin', file), options)
}

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'holdfast-dump-'))
  onTestFinished(() => rmSync(made, { recursive: true }))
  return made
}

describe('a dump in a file', () => {
  it('is restored as was agreed, whatever has come into the target since', async () => {
    const target = targetOf(Buffer.alloc(0))
    const swap = async (): Promise<object> => {
      target.content = sqlite
      return {}
    }
    const into: Driver = {
      ...target.driver,
      scratch: async () => ({ driver: targetOf().driver, swap, async [Symbol.asyncDispose]() {} }),
      asides: async () => [],
    }
    const confirm = async (): Promise<void> => {
      target.content = Buffer.from('new')
    }
    const restoring = restore(streamOf(sqlite), { into, confirm, keepOld: false })
    await expect(restoring).rejects.toMatchObject({ code: 'target-not-empty' })
    expect(String(target.content)).toBe('new')
  })

  it('is restored, after it was told what it is and what will be done', async () => {
    const path = join(directory(), 'app.db.gz')
    writeFileSync(path, gzipSync(sqlite))
    const target = targetOf()
    const previews: FileRestorePreview[] = []
    const confirm = async (preview: FileRestorePreview) => void previews.push(preview)
    const result = await restore(dumpOnDisk(path), { into: target.driver, confirm })
    expect(target.content).toEqual(sqlite)
    expect(result).toMatchObject({ mode: 'create', target: './app.db', storage: path, manifest: { database: 'app' } })
    expect(previews).toMatchObject([
      {
        isBackup: false,
        wrappings: ['gzip'],
        mode: 'create',
        warnings: ['it is tight'],
        manifest: { engine: 'sqlite' },
      },
    ])
    expect(previews[0]).not.toHaveProperty('database')
  })

  it('may lie on a storage, under a name that says nothing', async () => {
    const storage = memoryStorage()
    await storage.put('uploads/x', streamOf(sqlite), {}, ctx)
    const target = targetOf()
    await restore(dumpOnStorage(storage, 'uploads/x'), { into: target.driver })
    expect(target.content).toEqual(sqlite)
  })

  it('is not restored when that is not confirmed', async () => {
    const target = targetOf()
    const confirm = () => Promise.reject(new Error('rather not'))
    await expect(restore(streamOf(sqlite), { into: target.driver, confirm })).rejects.toThrow('rather not')
    expect(target.content).toBeUndefined()
  })

  it('is told what the target holds', async () => {
    const target = targetOf(Buffer.alloc(0))
    const confirm = async ({ database }: FileRestorePreview) => expect(database).toMatchObject({ empty: true })
    await restore(streamOf(sqlite), { into: target.driver, confirm })
    expect(target.content).toEqual(sqlite)
  })

  it('does not touch a target that holds data unless told what to do with it', async () => {
    const target = targetOf(Buffer.from('precious'))
    await expect(restore(streamOf(sqlite), { into: target.driver })).rejects.toMatchObject({ code: 'target-not-empty' })
    await restore(streamOf(sqlite), { into: target.driver, mode: 'clean' })
    expect([target.content, target.requests.map(({ mode }) => mode)]).toEqual([sqlite, ['clean']])
  })

  it('in place is read to its end before anything is touched, a stream too', async () => {
    const cut = gzipSync(sqlite).subarray(0, -4)
    for (const mode of ['clean', 'append'] as const) {
      const target = targetOf(Buffer.from('precious'))
      await expect(restore(streamOf(cut), { into: target.driver, mode })).rejects.toMatchObject({ code: 'corrupt' })
      expect(target.content?.toString()).toBe('precious')
    }
  })

  it('of another engine than the target is refused', async () => {
    const into = memoryDriver({ database: { content: undefined } })
    await expect(restore(streamOf(sqlite), { into })).rejects.toMatchObject({ code: 'restore-refused' })
  })

  it.each<[string, (path: string) => string, string]>([
    ['that is not there', (path) => join(path, 'none'), 'not-found'],
    ['below a file', (path) => join(path, 'file', 'none'), 'not-found'],
    ['that is a directory', (path) => path, 'restore-refused'],
    ['with an impossible name', (path) => join(path, 'x'.repeat(300)), 'unavailable'],
  ])('%s is an error that says so', async (_, at, code) => {
    const path = directory()
    writeFileSync(join(path, 'file'), '')
    const target = targetOf()
    await expect(restore(dumpOnDisk(at(path)), { into: target.driver })).rejects.toMatchObject({ code })
  })

  it('read when it was aborted already throws the reason', async () => {
    const reason = new Error('enough')
    const stream = dumpOnDisk('/etc/hostname').open(createRunContext({ signal: AbortSignal.abort(reason) }))
    await expect(readAll(stream)).rejects.toBe(reason)
  })
})

it('a stream is taken once', () => {
  const file = dumpFromStream('stdin', streamOf(sqlite))
  file.open(ctx)
  expect(() => file.open(ctx)).toThrow('read already')
})

describe('a file of a backup', () => {
  const cipher: Cipher = {
    id: 'rot',
    extension: '.rot',
    decryptCommand: 'rot',
    keyIds: ['k'],
    canDecrypt: true,
    encrypt: (plain) => turned(plain),
    decrypt: (sealed) => turned(sealed),
  }
  async function* turned(stream: AsyncIterable<Uint8Array>) {
    for await (const chunk of stream) yield Uint8Array.from(chunk, (byte) => byte ^ 0x55)
  }

  async function backedUp() {
    const storage = memoryStorage()
    const content = Buffer.from('rows')
    const source = memoryDriver({ name: 'shop', database: { content } })
    await using holdfast = createHoldfast({ jobs: { shop: { source, storages: [storage], encrypt: cipher } } })
    const { backup } = await holdfast.backup()
    return { storage, backup, content, key: backup.manifest.parts[0]?.key ?? '' }
  }

  it.each(['the data', 'the manifest'])('named by %s is restored as that backup, hashes and all', async (by) => {
    const { storage, backup, content, key } = await backedUp()
    const database = { content: undefined as Uint8Array | undefined }
    const into = memoryDriver({ name: 'copy', database })
    const file = dumpOnStorage(storage, by === 'the data' ? key : `${backup.base}.manifest.json`)
    const confirm = async ({ isBackup }: FileRestorePreview) => expect(isBackup).toBe(true)
    const result = await restore(file, { into, ciphers: [cipher], confirm })
    expect([result.manifest.id, database.content]).toEqual([backup.id, content])
    await storage.put(key, streamOf(Buffer.from('something else')), {}, ctx)
    await expect(restore(file, { into, ciphers: [cipher], mode: 'clean' })).rejects.toMatchObject({ code: 'corrupt' })
    await expect(restore(file, { into, mode: 'append' })).rejects.toMatchObject({ code: 'corrupt' })
  })

  it('into a database that holds data is put in its place, and the old one kept unless that is not wanted', async () => {
    const { storage, content, key } = await backedUp()
    const modes: string[] = []
    const confirm = async ({ mode }: FileRestorePreview) => void modes.push(mode)
    for (const keepOld of ['1h', false] as const) {
      const database = { content: Buffer.from('precious') as Uint8Array, beside: new Map() }
      const into = memoryDriver({ database })
      await restore(dumpOnStorage(storage, key), { into, ciphers: [cipher], confirm, keepOld })
      expect([database.content, database.beside.size]).toEqual([content, keepOld === false ? 0 : 1])
    }
    expect(modes).toEqual(['staged', 'replace'])
  })

  it('is told to the driver as a file, as any other: anybody can write a manifest', async () => {
    const { storage, key } = await backedUp()
    await storage.put('stranger', streamOf(sqlite), {}, ctx)
    for (const [name, driver] of [
      [key, memoryDriver({ database: { content: undefined } })],
      ['stranger', targetOf().driver],
    ] as const) {
      const told: unknown[] = []
      const into: Driver = {
        ...driver,
        restore(from, request, given) {
          told.push(from.fromFile)
          return driver.restore(from, request, given)
        },
      }
      await restore(dumpOnStorage(storage, name), { into, ciphers: [cipher] })
      expect(told).toEqual([true])
    }
  })

  it('is found beside its manifest wherever both were downloaded to', async () => {
    const { storage, backup, content, key } = await backedUp()
    const path = directory()
    for (const each of [key, `${backup.base}.manifest.json`]) {
      writeFileSync(join(path, each.slice(each.lastIndexOf('/') + 1)), await readAll(storage.get(each, undefined, ctx)))
    }
    const own = join(path, key.slice(key.lastIndexOf('/') + 1))
    const database = { content: undefined as Uint8Array | undefined }
    await restore(dumpOnDisk(own), { into: memoryDriver({ database }), ciphers: [cipher] })
    expect(database.content).toEqual(content)

    // A file that the manifest does not name is taken for what it holds.
    const stranger = `${own}.sqlite`
    writeFileSync(stranger, sqlite)
    const target = targetOf()
    await restore(dumpOnDisk(stranger), { into: target.driver })
    expect(target.content).toEqual(sqlite)

    // So is one whose manifest is elsewhere, and one that only looks like it.
    const alone = join(path, 'alone')
    mkdirSync(alone)
    copyFileSync(own, join(alone, own.slice(own.lastIndexOf('/') + 1)))
    await expect(
      restore(dumpOnDisk(join(alone, own.slice(own.lastIndexOf('/') + 1))), { into: target.driver }),
    ).rejects.toThrow('no dump that is known')
  })

  it('with a damaged manifest is refused', async () => {
    const { storage, backup, key } = await backedUp()
    await storage.put(`${backup.base}.manifest.json`, streamOf(Buffer.from('{}')), {}, ctx)
    await expect(restore(dumpOnStorage(storage, key), { into: targetOf().driver })).rejects.toMatchObject({
      code: 'manifest-invalid',
    })
  })
})
