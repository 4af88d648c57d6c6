import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { knownKeys } from './known-hosts.js'

const blob = Buffer.from('a key').toString('base64')
const hashed = (name: string): string => {
  const salt = Buffer.from('twenty bytes of salt')
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`
}

describe('knownKeys', () => {
  it.each([
    ['a name', 'nas.example.com', 'NAS.example.com', 22, true],
    ['one of several', 'other,nas,10.0.0.1', '10.0.0.1', 22, true],
    ['another name', 'nas2', 'nas', 22, false],
    ['a dot is no wildcard', 'n.s', 'nas', 22, false],
    ['a wildcard', '*.example.com', 'nas.example.com', 22, true],
    ['one letter', 'na?', 'nas', 22, true],
    ['a negation', '*.example.com,!nas.example.com', 'nas.example.com', 22, false],
    ['a port', '[nas]:2222', 'nas', 2222, true],
    ['the wrong port', '[nas]:2222', 'nas', 2223, false],
    ['no port, where one is asked for', 'nas', 'nas', 2222, false],
    ['a hashed name', hashed('nas'), 'nas', 22, true],
    ['a hashed name with its port', hashed('[nas]:2222'), 'nas', 2222, true],
    ['a hash of another name', hashed('other'), 'nas', 22, false],
    ['a hash of an unknown kind', '|2|AA==|AA==', 'nas', 22, false],
  ])('%s', (_, names, host, port, isKnown) => {
    const text = `# a comment\n\n${names} ssh-ed25519 ${blob} somebody@somewhere\n`
    const expected = [{ type: 'ssh-ed25519', blob: Buffer.from('a key'), isRevoked: false }]
    expect(knownKeys(text, host, port)).toEqual(isKnown ? expected : [])
  })

  it('tells revoked keys, and passes over authorities and broken lines', () => {
    const text = `@revoked nas ssh-rsa ${blob}\n@cert-authority nas ssh-rsa ${blob}\nnas ssh-rsa\nnas`
    expect(knownKeys(text, 'nas', 22)).toMatchObject([{ type: 'ssh-rsa', isRevoked: true }])
  })
})
