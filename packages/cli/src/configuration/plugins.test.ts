import { resolve } from 'node:path'
import { createRunContext, streamOf } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { environmentReader } from './environment-variables.js'
import { driverPlugins, isSourceUrl, schemeOf, storagePlugins } from './plugins.js'
import { driverOfEngine, sourceFromText } from './source-from-text.js'
import { storageFromText } from './storage-from-text.js'

describe('the plugins that come with the command line', () => {
  it.each([...driverPlugins, ...storagePlugins])('$id is what it is said to be', async ({ id, schemes, load }) => {
    const plugin = await load()
    expect([plugin.id, plugin.schemes]).toEqual([id, schemes])
  })
})

describe('schemeOf', () => {
  it.each([
    ['postgres://h/d', 'postgres'],
    ['S3://bucket', 's3'],
    ['sqlite:./app.db', 'sqlite'],
    ['sqlite:/var/lib/app.db', 'sqlite'],
    ['sqlite:///var/lib/app.db', 'sqlite'],
    ['./backups', undefined],
    ['backups', undefined],
    ['C:\\backups', undefined],
    ['/var/x:y', undefined],
  ])('of %s is %s', (text, scheme) => {
    expect(schemeOf(text)).toBe(scheme)
  })

  it('tells URLs of databases from names of jobs', () => {
    expect(['postgres://h/d', 'sqlite:./a', 'sqlite:/a'].map(isSourceUrl)).toEqual([true, true, true])
    expect(['shop', 'a:b', 'sqlite', 'sqlite:'].map(isSourceUrl)).toEqual([false, false, false, false])
  })
})

describe('sourceFromText', () => {
  it('makes a driver', async () => {
    const driver = await sourceFromText('postgresql://app:secret@db:5433/shop', {
      binDir: '/opt/pg',
      globals: undefined,
    })
    expect([driver.engine, driver.database, driver.display]).toEqual(['postgres', 'shop', 'db:5433/shop'])
  })

  it('refuses what it does not know, without repeating it', async () => {
    const odd = sourceFromText('oracle://u:canary@h/d')
    await expect(odd).rejects.toMatchObject({ code: 'config-invalid', message: 'No driver here reads oracle:// URLs' })
    await expect(sourceFromText('host=db password=canary')).rejects.toThrow(/^The database is not named by a URL$/)
  })
})

describe('driverOfEngine', () => {
  it('is bound to nothing in particular', async () => {
    for (const { id } of driverPlugins) expect((await driverOfEngine(id))?.engine).toBe(id)
    expect(await driverOfEngine('cobol')).toBeUndefined()
  })

  it('looks for its programs where it is told to, where it has any', async () => {
    for (const { id } of driverPlugins) expect((await driverOfEngine(id, '/nowhere'))?.engine).toBe(id)
    const driver = await driverOfEngine('postgres', '/nowhere')
    const part = { name: 'dump', mediaType: 'application/vnd.postgresql.custom-dump' }
    await expect(driver?.check?.(part, streamOf(), createRunContext())).rejects.toMatchObject({
      code: 'tool-missing',
      message: expect.stringContaining('in /nowhere'),
    })
  })
})

describe('storageFromText', () => {
  const read = environmentReader({ S3_REGION: 'eu-west-3', S3_ENDPOINT: 'http://127.0.0.1:1' })
  const make = (text: string) => storageFromText(text, { cwd: '/srv', read })

  it.each([
    ['./backups', './backups', '/srv/backups'],
    ['backups/', 'backups', '/srv/backups'],
    ['/', '/', '/'],
    ['./s3:/acme', './s3:/acme', '/srv/s3:/acme'],
    ['file:///mnt/b', 'file:///mnt/b', resolve('/mnt/b')],
    ['s3://acme/prod/?region=us-east-2', 's3://acme/prod/?region=us-east-2', 's3://acme/prod at 127.0.0.1:1'],
    ['s3://acme?endpoint=http://h:2', 's3://acme?endpoint=http://h:2', 's3://acme at h:2'],
    ['s3://acme/', 's3://acme', 's3://acme at 127.0.0.1:1'],
    ['sftp://me:open-sesame@h/d/', 'sftp://me@h/d', 'sftp://me@h/d'],
  ])('%s is called %s and lies at %s', async (text, name, display) => {
    const storage = await make(text)
    expect([storage.name, storage.display]).toEqual([name, display])
  })

  it('takes the name that it is given', async () => {
    expect((await storageFromText('./b', { cwd: '/srv', name: 'disk' })).name).toBe('disk')
  })

  it('says how a URL with one slash is written', async () => {
    await expect(make('s3:/acme/prod?region=us-east-2')).rejects.toMatchObject({
      hint: 'Write it as s3://acme/prod?region=us-east-2; a directory of that name is ./s3:/acme/prod?region=us-east-2.',
    })
  })

  it.each([
    ['ftp://host/dir', /No storage here answers to ftp:\/\/ URLs/],
    ['  ', /has no name/],
    ['s3://', /not of the form/],
    ['s3:/acme/prod', /^s3:\/acme\/prod is no URL: two slashes follow the colon$/],
    ['sftp:/me:open-sesame@h/d', /^sftp:\/me@h\/d is no URL/],
  ])('refuses %j', async (text, message) => {
    await expect(make(text)).rejects.toThrow(message)
    await expect(make(text)).rejects.toMatchObject({ code: 'storage-config-invalid' })
  })
})
