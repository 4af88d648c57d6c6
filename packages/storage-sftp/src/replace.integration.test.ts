import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BackupError, createRunContext, readAll, type Storage, streamOf } from '@holdfast/core'
import { afterEach, describe, expect, it } from 'vitest'
import { useSshd } from '../test/sshd.js'
import { type Connection, createConnection } from './connection.js'
import { sftp } from './index.js'
import { resolveSftpOptions } from './options.js'
import { putObject } from './put-object.js'
import { asideOf } from './temp-name.js'

const ctx = createRunContext()
const server = useSshd({ sftpArguments: ['-P', 'posix-rename'] })
const opened: Pick<Storage, 'close'>[] = []
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close?.()
})

function open(): Storage {
  const storage = sftp(server.options())
  opened.push(storage)
  return storage
}

const at = (key: string): string => join(server.sshd.directory, key)
const read = async (storage: Storage, key: string): Promise<string> =>
  (await readAll(storage.get(key, undefined, ctx))).toString()
const write = (storage: Storage, key: string, text: string, ifAbsent = false): Promise<unknown> =>
  storage.put(key, streamOf(Buffer.from(text)), { ifAbsent }, ctx)

async function list(storage: Storage, prefix: string): Promise<[string, number][]> {
  const found: [string, number][] = []
  for await (const { key, size } of storage.list(prefix, ctx)) found.push([key, size])
  return found
}

const sweep = (storage: Storage, prefix: string): Promise<number> | undefined =>
  storage.sweepUnfinished?.({ before: new Date(Date.now() + 60_000), prefixes: [prefix] }, ctx)

/** A connection that is dead after some requests, as if its process had been killed. */
function dyingAfter(connection: Connection, requests: number): Connection {
  let left = requests
  const dead = (): BackupError => new BackupError('unavailable', { message: 'killed' })
  return {
    close: () => connection.close(),
    async lease(signal) {
      if (left <= 0) throw dead()
      const { session, [Symbol.dispose]: release } = await connection.lease(signal)
      const call: typeof session.call = (...request) => (left-- > 0 ? session.call(...request) : Promise.reject(dead()))
      const dying = { root: session.root, call, isLost: false }
      return { session: dying, [Symbol.dispose]: release }
    },
  }
}

describe('an object that is replaced at a server whose rename does not replace', () => {
  it('is found, the old or the new one, after whichever request the put was killed', async () => {
    const storage = open()
    const connection = createConnection(resolveSftpOptions(server.options()))
    opened.push(connection)
    const seen = new Set<string>()
    for (let requests = 1; ; requests++) {
      const key = `killed/${requests}/note`
      await write(storage, key, 'the old one')
      const request = { ifAbsent: false, ctx: createRunContext(), inUse: new Set<string>() }
      const isWhole = await putObject(
        dyingAfter(connection, requests),
        key,
        streamOf(Buffer.from('the new')),
        request,
      ).then(
        () => true,
        () => false,
      )
      const found = await read(storage, key)
      expect(found, `after ${requests} requests`).toMatch(/^the (old one|new)$/)
      expect(await list(storage, `killed/${requests}/`)).toEqual([[key, found.length]])
      expect((await storage.stat(key, ctx))?.size).toBe(found.length)
      seen.add(`${found}, ${readdirSync(at(`killed/${requests}`)).includes('note') ? 'in its place' : 'aside'}`)
      // Whatever is left, the next put and the sweep put it in order.
      await sweep(storage, `killed/${requests}/`)
      expect(readdirSync(at(`killed/${requests}`))).toEqual(['note'])
      expect(await read(storage, key)).toBe(found)
      if (isWhole) break
    }
    expect([...seen].sort()).toEqual(['the new, in its place', 'the old one, aside', 'the old one, in its place'])
  })

  it('is always there for who reads and lists meanwhile', async () => {
    const [writer, reader] = [open(), open()]
    await write(writer, 'busy/note', 'content 0')
    let over = false
    const replacing = (async () => {
      for (let round = 1; round <= 150; round++) await write(writer, 'busy/note', `content ${round}`)
      over = true
    })()
    let reads = 0
    for (; !over; reads++) {
      expect(await read(reader, 'busy/note')).toMatch(/^content \d+$/)
      // OpenSSH leaves out what gets another name while it reads a directory: then the next listing has it.
      const listed = await list(reader, 'busy/')
      const again = listed.length > 0 ? listed : await list(reader, 'busy/')
      expect(again.map(([key]) => key)).toEqual(['busy/note'])
      expect(await reader.stat('busy/note', ctx)).toBeDefined()
    }
    await replacing
    expect(reads).toBeGreaterThan(10)
    expect(readdirSync(at('busy'))).toEqual(['note'])
  })

  it('is found whenever the process is killed', async () => {
    const storage = open()
    const test = join(import.meta.dirname, '../test')
    const node = ['--conditions=holdfast-source', '--no-warnings', '--import', join(test, 'run-sources.mjs')]
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [...node, join(test, 'put-child.ts'), 'sudden/note'], {
        env: { ...process.env, SFTP_OPTIONS: JSON.stringify(server.options()) },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(child.stdout, 'data')
      const exited = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), Math.random() * 60)
      await exited
      clearTimeout(timer)
      const found = await read(storage, 'sudden/note')
      expect(found).toMatch(/^content \d+ \d+$/)
      expect(await list(storage, 'sudden/')).toEqual([['sudden/note', found.length]])
    }
    await sweep(storage, 'sudden/')
    expect(readdirSync(at('sudden'))).toEqual(['note'])
  })
})

/** A connection whose first session is lost after some requests: the last of them is done, and never answered. */
function losingAfter(connection: Connection, requests: number): Connection {
  let left = requests
  return {
    close: () => connection.close(),
    async lease(signal) {
      const { session, [Symbol.dispose]: release } = await connection.lease(signal)
      if (left <= 0) return { session, [Symbol.dispose]: release }
      const call: typeof session.call = async (...request) => {
        const last = --left === 0
        if (left >= 0) {
          const answer = await session.call(...request)
          if (!last) return answer
        }
        throw new BackupError('unavailable', { message: 'lost', retryable: true })
      }
      const losing = {
        root: session.root,
        call,
        get isLost() {
          return left <= 0
        },
      }
      return { session: losing, [Symbol.dispose]: release }
    },
  }
}

describe('an exclusive put whose connection is lost', () => {
  it('is whole or not there, whichever answer did not come, and says which', async () => {
    const storage = open()
    const connection = createConnection(resolveSftpOptions(server.options()))
    opened.push(connection)
    const outcomes: string[] = []
    // After the rename, only what makes the name durable is lost, which no put fails for.
    for (let requests = 1; outcomes.filter((outcome) => outcome === 'whole').length < 3; requests++) {
      const key = `lost/${requests}/object`
      const request = { ifAbsent: true, ctx, inUse: new Set<string>() }
      const outcome = await putObject(
        losingAfter(connection, requests),
        key,
        streamOf(Buffer.from('text')),
        request,
      ).then(
        () => 'whole',
        (error: BackupError) => error.message,
      )
      const found = await storage.stat(key, ctx)
      expect([outcome, found?.size]).toEqual(outcome === 'whole' ? ['whole', 4] : ['lost', undefined])
      if (found) expect(readdirSync(at(`lost/${requests}`))).toEqual(['object'])
      outcomes.push(outcome)
    }
    expect(outcomes.filter((outcome) => outcome === 'lost').length).toBeGreaterThan(5)
  })
})

describe('an object that was left aside', () => {
  async function leave(key: string): Promise<Storage> {
    const storage = open()
    await write(storage, key, 'the old one')
    renameSync(at(key), asideOf(at(key)))
    return storage
  }

  it('is taken for its key, and replaced', async () => {
    const storage = await leave('aside/a')
    await expect(write(storage, 'aside/a', 'exclusive', true)).rejects.toMatchObject({ code: 'already-exists' })
    expect(await read(storage, 'aside/a')).toBe('the old one')
    await write(storage, 'aside/a', 'the new')
    expect([await read(storage, 'aside/a'), readdirSync(at('aside'))]).toEqual(['the new', ['a']])
  })

  it('while a newer one has its name goes when that is replaced', async () => {
    const storage = open()
    await write(storage, 'over/a', 'the newer')
    writeFileSync(asideOf(at('over/a')), 'an older one')
    await write(storage, 'over/a', 'the newest')
    expect([await read(storage, 'over/a'), readdirSync(at('over'))]).toEqual(['the newest', ['a']])
  })

  it('is deleted, and does not come back', async () => {
    const storage = await leave('deleted/a')
    await storage.delete('deleted/a', ctx)
    expect(await list(storage, 'deleted/')).toEqual([])
    await write(storage, 'deleted/b', 'the new')
    writeFileSync(asideOf(at('deleted/b')), 'an older one')
    await storage.delete('deleted/b', ctx)
    expect(await list(storage, 'deleted/')).toEqual([])
    expect(() => readdirSync(at('deleted'))).toThrow('ENOENT')
  })

  it('gets its name again by the sweep, once it is old; where a newer one has that, it goes', async () => {
    const storage = await leave('swept/a')
    await write(storage, 'swept/b', 'the new')
    writeFileSync(asideOf(at('swept/b')), 'an older one')
    const foreign = `${at('swept/c')}.holdfast-old-${'0'.repeat(24)}`
    writeFileSync(foreign, 'not ours')
    const hourAgo = new Date(Date.now() - 3_600_000)
    for (const name of readdirSync(at('swept'))) utimesSync(at(`swept/${name}`), hourAgo, hourAgo)
    const before = (ms: number): Promise<number> | undefined =>
      storage.sweepUnfinished?.({ before: new Date(Date.now() - ms), prefixes: ['swept/'] }, ctx)
    expect(await before(2 * 3_600_000)).toBe(0)
    expect(await before(60_000)).toBe(2)
    expect(readdirSync(at('swept')).sort()).toEqual(['a', 'b', foreign.slice(at('swept/').length)])
    expect([await read(storage, 'swept/a'), await read(storage, 'swept/b')]).toEqual(['the old one', 'the new'])
    expect(readFileSync(foreign, 'utf8')).toBe('not ours')
  })

  it('is listed by prefixes that its key begins with, and by no others', async () => {
    const storage = await leave('prefix/note')
    for (const prefix of ['', 'prefix/', 'prefix/no', 'prefix/note']) {
      expect((await list(storage, prefix)).filter(([key]) => key.startsWith('prefix/'))).toEqual([['prefix/note', 11]])
    }
    for (const prefix of ['prefix/note.', 'prefix/note.holdfast-old-']) expect(await list(storage, prefix)).toEqual([])
  })
})
