import { createRunContext } from '@holdfast/core'
import { storageCasePrefix, storageContract } from '@holdfast/core/testing'
import { describe, it } from 'vitest'
import { useSshd } from '../test/sshd.js'
import type { SftpOptions } from './index.js'
import { sftp } from './index.js'

function runContract(options: () => SftpOptions): void {
  for (const test of storageContract.filter(({ simulate }) => !simulate)) {
    it(test.name, async () => {
      const storage = sftp(options())
      try {
        await test.run({ storage, prefix: storageCasePrefix(), ctx: createRunContext() })
      } finally {
        await storage.close?.()
      }
    })
  }
}

describe('the storage contract, at OpenSSH', () => {
  const server = useSshd()
  runContract(() => server.options({ path: `${server.sshd.directory}/made/on/demand/` }))
})

describe('the storage contract, at a server without any extension', () => {
  const server = useSshd({ sftpArguments: ['-P', 'posix-rename,fsync,statvfs,hardlink,limits,expand-path,lsetstat'] })
  runContract(() => server.options())
})
