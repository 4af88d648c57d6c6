import { describe, expect, it } from 'vitest'
import { localPlugin } from './local-plugin.js'
import { local } from './local-storage.js'

describe('localPlugin', () => {
  it('reads file URLs', () => {
    expect(localPlugin.fromUrl('file:///var/my%20backups')).toEqual({ path: '/var/my backups' })
    expect(localPlugin.schemes).toEqual(['file'])
    expect(localPlugin.create(localPlugin.fromUrl('file:///var/backups')).display).toBe('/var/backups')
  })

  for (const url of [
    'file://server/share',
    'file:///a?b=c',
    'file:///a#b',
    's3://bucket',
    'nonsense',
    'file:///a%2Fb',
  ]) {
    it(`refuses ${url}`, () => {
      expect(() => localPlugin.fromUrl(url)).toThrow(
        expect.objectContaining({ code: 'config-invalid', hint: expect.stringMatching(/three slashes/) }),
      )
    })
  }

  it('describes every option, and fills in the defaults', () => {
    expect(localPlugin.options.parse({ path: 'x' })).toEqual({ path: 'x', name: 'local', create: true })
    expect(local({ path: 'x' }).name).toBe('local')
    expect(local({ path: 'x', name: 'disk' }).name).toBe('disk')
  })

  it('refuses options that it does not know or cannot use', () => {
    for (const options of [{ path: '' }, { path: 'a\0b' }, { path: 'x', mode: 7 }, {}]) {
      expect(() => local(options as { path: string })).toThrow(expect.objectContaining({ code: 'config-invalid' }))
    }
  })
})
