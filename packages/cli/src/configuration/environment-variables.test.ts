import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tempDirectory } from '../testing/temp-directory.js'
import { booleanOf, environmentReader, environmentVariables, namesSet, secretsIn } from './environment-variables.js'

const directory = tempDirectory('env')

function file(content: string): string {
  const path = join(directory, `${Math.random()}`)
  writeFileSync(path, content)
  return path
}

const everyName = Object.values(environmentVariables).flatMap((variable) =>
  [variable.name, ...variable.alternatives].map((name) => [name, variable] as const),
)

describe('environmentReader', () => {
  it.each(everyName)('reads %s', (name, variable) => {
    expect(environmentReader({ [name]: 'value' })(variable)).toBe('value')
    expect(environmentReader({})(variable)).toBeUndefined()
    const empty = /ENCRYPT|RECIPIENT/.test(name) ? '' : undefined
    expect(environmentReader({ [name]: '' })(variable)).toBe(empty)
    expect(environmentReader({ [`${name}_FILE`]: '' })(variable)).toBe(empty)
    expect(environmentReader({ [name]: '', [`${name}_FILE`]: file('filled') })(variable)).toBe('filled')
  })

  it.each(everyName)('reads %s_FILE, without the newline at its end', (name, variable) => {
    expect(environmentReader({ [`${name}_FILE`]: file('from a file\n') })(variable)).toBe('from a file')
  })

  it.each(everyName)('refuses %s that disagrees with its file or its other names', (name, variable) => {
    for (const other of [
      `${name}_FILE`,
      ...[variable.name, ...variable.alternatives].filter((each) => each !== name),
    ]) {
      const value = other.endsWith('_FILE') ? file('two') : 'two'
      expect(() => environmentReader({ [name]: 'one', [other]: value })(variable)).toThrow(/disagree/)
    }
  })

  it('accepts two names that agree', () => {
    const env = { DATABASE_URL: 'postgres://h/d', POSTGRES_CONNECTION_STRING: 'postgres://h/d' }
    expect(environmentReader(env)(environmentVariables.databaseUrl)).toBe('postgres://h/d')
  })

  it('says which file cannot be read, and never what two names hold', () => {
    expect(() => environmentReader({ S3_BUCKET_FILE: '/nowhere/x' })(environmentVariables.s3Bucket)).toThrow(
      /S3_BUCKET_FILE names cannot be read: ENOENT/,
    )
    const both = { S3_SECRET_KEY: 'canary-1', S3_SECRET_ACCESS_KEY: 'canary-2' }
    expect(() => environmentReader(both)(environmentVariables.s3SecretAccessKey)).toThrow(
      /^The environment variables S3_SECRET_ACCESS_KEY and S3_SECRET_KEY mean the same and disagree$/,
    )
  })
})

describe('namesSet', () => {
  it('names what is set, as it is set', () => {
    const env = { S3_ACCESS_KEY: 'a', MINIO_ACCESS_KEY_FILE: '/x', S3_ACCESS_KEY_ID: '' }
    expect(namesSet(environmentVariables.s3AccessKeyId, env)).toEqual(['S3_ACCESS_KEY', 'MINIO_ACCESS_KEY_FILE'])
  })
})

describe('secretsIn', () => {
  it('collects what must never be written', () => {
    const env = {
      S3_SECRET_KEY: 'one',
      MINIO_SECRET_KEY: 'two',
      PGPASSWORD: 'three',
      AWS_SESSION_TOKEN: 'four',
      MYSQL_PWD: 'five',
    }
    expect(secretsIn({ ...env, S3_BUCKET: 'public', DATABASE_URL: 'postgres://h/d' }).sort()).toEqual([
      'five',
      'four',
      'one',
      'three',
      'two',
    ])
  })
})

describe('booleanOf', () => {
  it.each([
    ['true', true],
    ['1', true],
    [' YES ', true],
    ['on', true],
    ['false', false],
    ['0', false],
    ['No', false],
    ['off', false],
    [undefined, undefined],
  ])('%j is %j', (text, value) => {
    expect(booleanOf(text, 'X')).toBe(value)
  })

  it('refuses anything else', () => {
    expect(() => booleanOf('maybe', 'BACKUP_S3')).toThrow(/BACKUP_S3 is "maybe"/)
  })
})
