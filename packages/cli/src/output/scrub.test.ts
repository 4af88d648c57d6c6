import { describe, expect, it } from 'vitest'
import { createScrubber, passwordsIn, wordsIn } from './scrub.js'

const canary = 'c4n4ry-S3cret'

describe('scrub', () => {
  it.each([
    `postgres://app:${canary}@db:5432/shop`,
    `could not connect to "postgres://app:${canary}@db/shop?sslmode=require" in time`,
    `postgres://app:${canary}/with@slash@db/shop`,
    `postgres://:${canary}@db/shop`,
    `mysql://root:${canary}@[::1]:3306/x and postgresql://u:${canary}@h/y`,
    `HTTPS://user:${canary}@minio:9000`,
    `postgres://db/shop?user=app&password=${canary}&sslmode=require`,
    `host=db password=${canary} dbname=shop`,
    `host=db password='${canary} with spaces' dbname=shop`,
    `PGPASSWORD=${canary} psql`,
    `sslpassword = ${canary}`,
    `secretAccessKey=${canary}`,
  ])('takes the password out of %s', (text) => {
    const clean = createScrubber().scrub(text)
    expect(clean).not.toContain('c4n4ry')
    expect(clean).toContain('***')
  })

  it('leaves text alone that holds no password', () => {
    for (const text of [
      'postgres://app@db:5432/shop',
      's3://bucket/prefix?endpoint=http://127.0.0.1:9000',
      'backup a1b2c3d4 at 12:40, 99 % of 1.2 MiB',
      'mail to user@example.com: nothing',
    ]) {
      expect(createScrubber().scrub(text)).toBe(text)
    }
  })

  it('takes out what it was told to hide, also percent-encoded and decoded', () => {
    const scrubber = createScrubber()
    scrubber.hide('p@ss/w%rd')
    scrubber.hide('xx%40y%2Fz')
    const clean = scrubber.scrub('p@ss/w%rd p%40ss%2Fw%25rd xx%40y%2Fz xx@y/z')
    expect(clean).toBe('*** *** *** ***')
  })

  it('does not search for short secrets, which would be found in words', () => {
    const scrubber = createScrubber()
    for (const secret of ['a', 'table', undefined]) scrubber.hide(secret)
    expect(scrubber.scrub('a table')).toBe('a table')
    expect(scrubber.scrub('postgres://u:table@h/d')).toBe('postgres://u:***@h/d')
  })

  it('takes a password that is an ordinary word or a name out of URLs only', () => {
    const scrubber = createScrubber()
    for (const secret of ['postgres', 'warehouse', 'hunter2!']) scrubber.hide(secret)
    scrubber.spare('Warehouse')
    expect(scrubber.scrub('engine postgres, job warehouse, hunter2!')).toBe('engine postgres, job warehouse, ***')
    expect(scrubber.scrub('postgres://postgres:postgres@h/postgres')).toBe('postgres://postgres:***@h/postgres')
    expect(scrubber.scrub('password=warehouse')).toBe('password=***')
  })

  it('takes out what steers a terminal, and keeps colours, tabs and lines', () => {
    const text = 'a\u001b]0;title\u0007b\u001b[2Jc\rd\u0000\u009be\u001b[31mred\u001b[0m\tf\ng'
    expect(createScrubber().scrub(text)).toBe('a]0;titleb[2Jcde\u001b[31mred\u001b[0m\tf\ng')
  })
})

describe('wordsIn', () => {
  it('finds what a URL names beside its password', () => {
    expect(wordsIn('postgres://app:s3cret@db:5432/sh%20op?sslmode=require')).toEqual(['postgres', 'app', 'db', 'sh op'])
    expect(wordsIn('postgres://app:a/b@c@db/shop')).toEqual(['postgres', 'app', 'db', 'shop'])
    expect(wordsIn('postgres://db/shop?password=s3cret')).toEqual(['postgres', 'db', 'shop'])
    expect(wordsIn('postgres://u@h')).toEqual(['postgres', 'u', 'h'])
    expect(wordsIn('--json')).toEqual([])
  })
})

describe('passwordsIn', () => {
  it('finds them in URLs, as written', () => {
    expect(passwordsIn('postgres://u:p%40ss@h/d')).toEqual(['p%40ss'])
    expect(passwordsIn('postgres://u:a@b@h/d')).toEqual(['a@b'])
    expect(passwordsIn('postgres://h/d?user=u&password=abc#x')).toEqual(['abc'])
    expect(passwordsIn('postgres://u@h/d')).toEqual([])
    expect(passwordsIn('postgres://u:@h/d')).toEqual([])
    expect(passwordsIn('no url: with@sign')).toEqual([])
  })
})
