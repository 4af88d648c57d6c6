import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MiB, readAll, streamOf } from '../byte-stream.js'
import { createRunContext } from '../run-context.js'
import { Secret } from '../secret.js'
import { sample } from '../testing/cipher/cipher-case.js'
import { age } from './age.js'
import { type AgeKey, ageRecipientsOf, generateAgeKey, lockText } from './age-key.js'
import type { Cipher } from './cipher.js'

const ctx = createRunContext()
const sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 3 * MiB, 3 * MiB + 5]
const passphrase = 'open sesame, please'

let directory: string
let mine: AgeKey
let theirs: { identity: string; recipient: string }
const path = (name: string): string => join(directory, name)

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-age-'))
  mine = await generateAgeKey()
  writeFileSync(path('mine.txt'), `${mine.identity.reveal()}\n`, { mode: 0o600 })
  execFileSync('age-keygen', ['-o', path('theirs.txt')], { stdio: 'pipe' })
  const recipient = execFileSync('age-keygen', ['-y', path('theirs.txt')])
    .toString()
    .trim()
  theirs = { identity: path('theirs.txt'), recipient }
})
afterAll(() => rmSync(directory, { recursive: true }))

const seal = (cipher: Cipher, plain: Buffer): Promise<Buffer> => readAll(cipher.encrypt(streamOf(plain), ctx))
const open = (cipher: Cipher, bytes: Buffer): Promise<Buffer> => readAll(cipher.decrypt(streamOf(bytes), ctx))
const ageProgram = (args: readonly string[], input: Buffer): Buffer =>
  execFileSync('age', args, { input, maxBuffer: 1 << 30, stdio: ['pipe', 'pipe', 'pipe'] })

/** Runs the program at a terminal of its own, where it asks for the passphrase, and types it. */
function atTerminal(command: string, times: number): void {
  const typed = `${passphrase}\n`.repeat(times)
  execFileSync('script', ['-qefc', command, '/dev/null'], {
    input: typed,
    stdio: ['pipe', 'pipe', 'pipe'],
    cwd: directory,
  })
}

describe('the age program', () => {
  it('knows the keys that are made here', async () => {
    expect(
      execFileSync('age-keygen', ['-y', path('mine.txt')])
        .toString()
        .trim(),
    ).toBe(mine.recipient)
    expect(await ageRecipientsOf({ file: theirs.identity })).toEqual([theirs.recipient])
  })

  it('opens what is written here, for each of the recipients', async () => {
    const cipher = age({ recipients: [mine.recipient, theirs.recipient] })
    for (const plain of sizes.map(sample)) {
      const encrypted = await seal(cipher, plain)
      for (const key of [path('mine.txt'), theirs.identity]) {
        expect(ageProgram(['-d', '-i', key], encrypted).equals(plain), `${plain.length} bytes`).toBe(true)
      }
    }
  })

  it('writes what is read here', async () => {
    const cipher = age({ identities: { file: theirs.identity } })
    for (const plain of sizes.map(sample)) {
      const encrypted = ageProgram(['-r', mine.recipient, '-r', theirs.recipient], plain)
      expect((await open(cipher, encrypted)).equals(plain), `${plain.length} bytes`).toBe(true)
    }
  })

  it('agrees on passphrases, both ways', async () => {
    const cipher = age({ passphrase })
    const plain = sample(200_000)
    writeFileSync(path('ours.age'), await seal(cipher, plain))
    atTerminal('age -d -o ours.plain ours.age', 1)
    expect(readFileSync(path('ours.plain')).equals(plain)).toBe(true)
    atTerminal('age -p -o theirs.age ours.plain', 2)
    expect((await open(cipher, readFileSync(path('theirs.age')))).equals(plain)).toBe(true)
  })

  it('agrees on identities under a passphrase, both ways', async () => {
    const plain = sample(1_000)
    writeFileSync(path('data.age'), await seal(age({ recipients: mine.recipient }), plain))
    writeFileSync(path('key.age'), await lockText(readFileSync(path('mine.txt'), 'utf8'), new Secret(passphrase)))
    atTerminal('age -d -i key.age -o data data.age', 1)
    expect(readFileSync(path('data')).equals(plain)).toBe(true)
    for (const [name, flags] of [
      ['binary.age', ''],
      ['armored.age', '-a'],
    ]) {
      atTerminal(`age -p ${flags} -o ${name} mine.txt`, 2)
      const cipher = age({ identities: { file: path(name ?? '') }, passphrase })
      expect((await open(cipher, readFileSync(path('data.age')))).equals(plain)).toBe(true)
    }
  })
})

describe('300 MB', () => {
  it('pass through encryption and decryption in flat memory', async () => {
    const cipher = age({ recipients: mine.recipient, identities: mine.identity })
    const block = sample(MiB)
    let peak = 0
    async function* blocks(count: number): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < count; index++) {
        peak = Math.max(peak, process.memoryUsage.rss())
        yield block
      }
    }
    const pass = async (count: number): Promise<{ bytes: number; peak: number }> => {
      let bytes = 0
      peak = 0
      for await (const chunk of cipher.decrypt(cipher.encrypt(blocks(count), ctx), ctx)) bytes += chunk.length
      return { bytes, peak }
    }
    await pass(20)
    const short = await pass(30)
    const long = await pass(300)
    expect(long.bytes).toBe(300 * MiB)
    expect(long.peak - short.peak).toBeLessThan(100 * MiB) // what the collector of garbage leaves for a while
  })
})
