import { isBackupError } from '@holdfast/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { resolveS3Options } from './options.js'
import { optionsFromUrl } from './s3-url.js'

describe('optionsFromUrl', () => {
  it('reads bucket and prefix', () => {
    expect(optionsFromUrl('s3://backups')).toEqual({ bucket: 'backups' })
    expect(optionsFromUrl('s3://backups/')).toEqual({ bucket: 'backups' })
    expect(optionsFromUrl('s3://acme.backups/prod/db/')).toEqual({ bucket: 'acme.backups', prefix: 'prod/db' })
    expect(optionsFromUrl('s3://backups/with%20space/%C3%BC')).toEqual({ bucket: 'backups', prefix: 'with space/ü' })
  })

  it('keeps the case of a bucket', () => {
    expect(optionsFromUrl('s3://Backups_OLD/x').bucket).toBe('Backups_OLD')
  })

  it('reads parameters', () => {
    const url =
      's3://backups/p?region=eu-west-3&endpoint=http%3A%2F%2Flocalhost%3A9000&pathStyle=false&sse=AES256&storageClass=STANDARD_IA'
    expect(optionsFromUrl(url)).toEqual({
      bucket: 'backups',
      prefix: 'p',
      region: 'eu-west-3',
      endpoint: 'http://localhost:9000',
      pathStyle: false,
      sse: 'AES256',
      storageClass: 'STANDARD_IA',
    })
    expect(optionsFromUrl('s3://backups?region=&endpoint=')).toEqual({ bucket: 'backups' })
  })

  const wrong = [
    'backups',
    'http://backups/x',
    's3:///prefix',
    's3://id:canary@backups/x',
    's3://backups:9000/x',
    's3://backups/x#y',
    's3://backups/%zz',
    's3://backups?secretAccessKey=canary',
    's3://backups?pathStyle=yes',
    's3://backups?sse=rot13',
  ]
  for (const url of wrong) {
    it(`refuses ${url.replace('canary', '…')}`, () => {
      try {
        optionsFromUrl(url)
        expect.unreachable()
      } catch (error) {
        expect(isBackupError(error, 'storage-config-invalid')).toBe(true)
        expect(JSON.stringify([(error as Error).message, (error as { hint?: string }).hint])).not.toContain('canary')
      }
    })
  }

  it('what is written is what is read', () => {
    const segment = fc
      .string({ minLength: 1, maxLength: 20, unit: 'grapheme' })
      .filter((s) => !s.includes('/') && s !== '.' && s !== '..' && s.isWellFormed())
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('eu-west-3', 'a b&c=d'),
        (path, region) => {
          const url = `s3://backups/${path.map(encodeURIComponent).join('/')}?region=${encodeURIComponent(region)}`
          const options = optionsFromUrl(url)
          expect(options).toEqual({ bucket: 'backups', prefix: path.join('/'), region })
          expect(resolveS3Options(options).prefix).toBe(path.join('/'))
        },
      ),
    )
  })
})
