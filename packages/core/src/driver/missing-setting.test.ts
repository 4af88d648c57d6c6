import { afterEach, expect, it, vi } from 'vitest'
import { missingSetting } from './missing-setting.js'

afterEach(() => vi.unstubAllEnvs())

it.each<[string, object]>([
  ['The url of the Test driver is given but undefined', { url: undefined }],
  ['The url of the Test driver: the environment variable NOT_SET is not set', { url: { env: 'NOT_SET' } }],
  ['The password of the Test driver: the file /no/file cannot be read (ENOENT)', { password: { file: '/no/file' } }],
])('says %s', (message, options) => {
  vi.stubEnv('NOT_SET', undefined)
  expect(missingSetting('Test', options)).toMatchObject({ code: 'config-invalid', message, hint: expect.any(String) })
})

it('says nothing of what is there, and of what was not asked for', () => {
  vi.stubEnv('HOLDFAST_TEST_URL', 'postgres://localhost/shop')
  for (const options of [{}, { url: 'postgres://localhost/shop' }, { url: { env: 'HOLDFAST_TEST_URL' } }]) {
    expect(missingSetting('Test', options)).toBeUndefined()
  }
})
