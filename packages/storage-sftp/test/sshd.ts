import { type Sshd, type SshdOptions, startSshd } from '@holdfast/test-support'
import { afterAll, beforeAll } from 'vitest'
import type { SftpOptions } from '../src/index.js'

/** A server for all tests of a file, and options that reach it. */
export interface TestServer {
  readonly sshd: Sshd
  options(more?: Partial<SftpOptions>): SftpOptions
}

/** Starts an sshd before the tests and stops it after them. */
export function useSshd(given: SshdOptions = {}): TestServer {
  let sshd: Sshd | undefined
  const running = (): Sshd => {
    if (!sshd) throw new Error('The server runs only while tests do')
    return sshd
  }
  beforeAll(async () => {
    sshd = await startSshd(given)
  })
  afterAll(async () => {
    await sshd?.stop()
  })
  return {
    get sshd() {
      return running()
    },
    options(more = {}) {
      const { host, port, username, directory, key, fingerprint } = running()
      return { host, port, username, path: directory, privateKey: key.text, hostFingerprint: fingerprint, ...more }
    },
  }
}
