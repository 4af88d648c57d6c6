import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { filesIn } from '../testing/files.js'
import { runIn, testWorld } from '../testing/test-world.js'

/** A directory with a key, and its recipient. */
async function keyIn(cwd: string, ...options: string[]): Promise<string> {
  const { json } = await runIn({ cwd }, 'key', 'generate', '-o', 'key.txt', '--json', ...options)
  return (json() as { recipient: string }).recipient
}

describe('holdfast key generate', () => {
  it('writes a key for its owner alone, and says how to use it', async () => {
    const { cwd } = testWorld()
    const { code, out } = await runIn({ cwd }, 'key', 'generate')
    expect(code).toBe(0)
    const path = join(cwd, 'holdfast-key.txt')
    const content = readFileSync(path, 'utf8')
    const recipient = /^# public key: (age1\w+)$/m.exec(content)?.[1] ?? ''
    expect(content).toMatch(/^AGE-SECRET-KEY-1\w+$/m)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(out).toContain(recipient)
    expect(out).toContain(`--age-recipient ${recipient}`)
    expect(out).not.toContain('AGE-SECRET-KEY')
  })

  it('never overwrites a key', async () => {
    const { cwd } = testWorld()
    const recipient = await keyIn(cwd)
    const { code, err } = await runIn({ cwd }, 'key', 'generate', '-o', 'key.txt')
    expect([code, err]).toEqual([1, expect.stringContaining('is there already')])
    expect(err).not.toContain('--force') // it has none: a key is never overwritten
    expect(readFileSync(join(cwd, 'key.txt'), 'utf8')).toContain(recipient)
  })

  it('writes to standard output, for a pipe', async () => {
    const { code, out, err } = await runIn({}, 'key', 'generate', '-o', '-')
    expect([code, out]).toEqual([0, expect.stringMatching(/\nAGE-SECRET-KEY-1\w+\n$/)])
    expect(err).toMatch(/Recipient: age1/)
    expect((await runIn({}, 'key', 'generate', '-o', '-', '--json')).code).toBe(1)
  })

  it('puts the key under a passphrase from a file or the terminal', async () => {
    const { cwd } = testWorld()
    writeFileSync(join(cwd, 'passphrase'), 'open sesame\n')
    await keyIn(cwd, '--passphrase-file', 'passphrase')
    expect(readFileSync(join(cwd, 'key.txt'), 'utf8')).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n/)
    const differing = { ...testWorld({ cwd, terminal: true }) }
    expect(differing.cwd).toBe(cwd)
    const unasked = await runIn({ cwd }, 'key', 'generate', '--passphrase')
    expect([unasked.code, unasked.err]).toEqual([1, expect.stringContaining('no terminal')])
    const empty = await runIn({ cwd }, 'key', 'generate', '--passphrase-file', 'nothing')
    expect(empty.err).toContain('cannot be read')
    expect(filesIn(cwd).filter((file) => file.includes('holdfast-key'))).toEqual([])
  })
})

describe('an encrypted backup', () => {
  it('is made for recipients of the command line, named by list and show, and read with an identity', async () => {
    const { cwd, shop } = fakeProject()
    const recipient = await keyIn(cwd)
    const other = join(cwd, 'other')
    mkdirSync(other)
    await keyIn(other)
    expect((await runIn({ cwd }, 'backup', 'shop', '--age-recipient', recipient)).code).toBe(0)
    expect(filesIn(join(cwd, 'disk')).filter((file) => file.endsWith('.sql.zst.age'))).toHaveLength(2)

    expect((await runIn({ cwd }, 'list')).out).toMatch(/CIPHER[\s\S]* age /)
    expect((await runIn({ cwd }, 'show', 'latest')).out).toContain(`Encrypted age, for ${recipient}`)
    expect((await runIn({ cwd }, 'list', '--json')).json()).toMatchObject({
      backups: [{ cipher: { id: 'age', keyIds: [recipient] } }],
    })

    const read = (...options: string[]) => runIn({ cwd }, 'cat', 'latest', '--part', 'sql', ...options)
    expect((await read('--identity', 'key.txt')).out).toBe(shop.content.toString())
    const locked = await read()
    expect([locked.code, locked.err]).toEqual([1, expect.stringContaining('--identity')])
    const wrong = await read('--identity', 'other/key.txt')
    expect([wrong.code, wrong.out]).toEqual([1, ''])
    expect((await read('--identity', 'other/key.txt', '--identity', 'key.txt')).code).toBe(0)
    expect((await read('--identity', 'nowhere.txt')).err).toContain('nowhere.txt')

    const asStored = await runIn({ cwd }, 'verify', 'latest')
    expect([asStored.code, asStored.out]).toEqual([
      0,
      expect.stringContaining('intact, as stored: no key here opens it'),
    ])
    const opened = await runIn({ cwd }, 'verify', 'latest', '--identity', 'key.txt')
    expect([opened.code, opened.out]).toEqual([0, expect.not.stringContaining('as stored')])
    const restored = await runIn({ cwd }, 'restore', 'latest', '--mode', 'clean', '--yes', '--identity', 'key.txt')
    expect(restored.err + restored.out).toContain('restored')
    expect(shop.restored[0]?.content).toEqual(shop.content)
    const refused = await runIn({ cwd }, 'restore', 'latest', '--mode', 'clean', '--yes', '--identity', 'other/key.txt')
    expect(refused.code).toBe(1)
    expect(refused.err.match(/None of the age identities/g)).toHaveLength(1) // for both copies
  })

  it('is read with an identity under a passphrase, from the environment too', async () => {
    const { cwd, shop } = fakeProject()
    writeFileSync(join(cwd, 'passphrase'), 'open sesame')
    const recipient = await keyIn(cwd, '--passphrase-file', 'passphrase')
    const env = { BACKUP_AGE_RECIPIENTS: recipient }
    expect((await runIn({ cwd, env }, 'backup', 'stock')).code).toBe(0)
    const cat = ['cat', 'latest', '--part', 'globals.sql', '--identity', 'key.txt']
    expect((await runIn({ cwd }, ...cat, '--passphrase-file', 'passphrase')).out).toBe('create role app;\n')
    expect((await runIn({ cwd }, ...cat)).err).toContain('passphrase')
    expect(shop.restored).toEqual([])
  })

  it('made with a file encrypted by another cipher than any key here says so', async () => {
    const { cwd } = fakeProject()
    const recipient = await keyIn(cwd)
    await runIn({ cwd }, 'backup', 'stock', '--age-recipient', recipient)
    const { code, json } = await runIn({ cwd }, 'restore', 'latest', '--mode', 'clean', '--yes', '--json')
    expect([code, json()]).toMatchObject([1, { error: { code: 'wrong-key', message: /encrypted with age/ } }])
  })
})

describe('holdfast key kit', () => {
  it('says where the backups are and how to restore them, with the key only if asked', async () => {
    const { cwd } = fakeProject()
    const recipient = await keyIn(cwd)
    const env = { BACKUP_AGE_RECIPIENTS: recipient }
    const { code, out } = await runIn({ cwd, env }, 'key', 'kit')
    expect(code).toBe(0)
    for (const text of [recipient, 'disk', 'offsite', 'fake.example/shop', 'age -d -i key.txt', 'pg_restore']) {
      expect(out).toContain(text)
    }
    expect(out).not.toContain('AGE-SECRET-KEY')
    const secret = /AGE-SECRET-KEY\S+/.exec(readFileSync(join(cwd, 'key.txt'), 'utf8'))?.[0] ?? '-'
    const withKey = (await runIn({ cwd }, 'key', 'kit', '--identity', 'key.txt')).out
    expect(withKey).toContain(secret)
    expect(withKey).not.toContain('under a passphrase, which')
    writeFileSync(join(cwd, 'passphrase'), 'open sesame')
    await runIn({ cwd }, 'key', 'generate', '-o', 'locked.txt', '--passphrase-file', 'passphrase')
    const locked = (await runIn({ cwd }, 'key', 'kit', '--identity', 'locked.txt')).out
    expect(locked).toContain('under a passphrase, which is asked for')
  })

  it('names the places of --from', async () => {
    const { cwd } = fakeProject()
    const { code, out } = await runIn({ cwd }, 'key', 'kit', '--from', './elsewhere')
    expect(code).toBe(0)
    expect(out).toContain(join(cwd, 'elsewhere'))
    expect(out).not.toContain('disk:')
  })

  it('leaves room for where the key is, where no job says whether there is one', async () => {
    const { out } = await runIn({}, 'key', 'kit', '--from', './backups')
    expect(out).toMatch(/^1\. The key\n\nIf names of the data end in \.age or \.gpg, .* It is kept at: _+$/m)
    const { cwd } = fakeProject()
    expect((await runIn({ cwd }, 'key', 'kit')).out).toMatch(/^1\. The key\n\nNot encrypted: shop, stock\.\n\n2\./m)
  })

  it('is a page that holds no markup but its own, in a file for its owner', async () => {
    const { cwd } = fakeProject()
    await keyIn(cwd)
    const { code, out } = await runIn({ cwd }, 'key', 'kit', '-o', 'kit.html', '--identity', 'key.txt', '--from', './b')
    expect([code, out]).toEqual([0, expect.stringContaining(`it names: ${join(cwd, 'b')}`)])
    const page = readFileSync(join(cwd, 'kit.html'), 'utf8')
    expect(page).toMatch(/^<!doctype html>[\s\S]*AGE-SECRET-KEY/)
    expect(page).toContain('&lt; FILE')
    expect(page).toContain('mysql --binary-mode --comments')
    expect(statSync(join(cwd, 'kit.html')).mode & 0o777).toBe(0o600)
    expect((await runIn({ cwd }, 'key', 'kit', '-o', 'kit.html')).code).toBe(1)
    const refused = await runIn({ cwd }, 'key', 'kit', '--identity', 'holdfast.config.mjs')
    expect(refused.err).toContain('no age identity')
  })
})
