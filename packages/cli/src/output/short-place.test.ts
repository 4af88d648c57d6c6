import { expect, it } from 'vitest'
import { shortPlace } from './short-place.js'

it.each([
  ['disk', 'disk'],
  ['s3://acme/prod', 's3://acme/prod'],
  ['/var/backups/a/directory/with/a/rather/long/name', '/var/backups/a/directory/with/a/rather/long/name'],
  ['sftp://backup@backup.example.com:2222/srv/backups/prod', 'sftp://backup.example.com/…/prod'],
  ['s3://acme/dir?endpoint=http%3A%2F%2F127.0.0.1%3A9000&pathStyle=true', 's3://acme/dir'],
  ['sftp://a-rather-long-name-of-a-host.example.com/srv/backups/prod', 'sftp://a-rather-…mple.com/…/prod'],
])('%s is %s in a table', (storage, short) => {
  expect(shortPlace(storage)).toBe(short)
  expect(shortPlace(storage).length <= 32 || !storage.includes('://')).toBe(true)
})
