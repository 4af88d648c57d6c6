import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { BackupError } from '../backup-error.js'
import { readAll } from '../byte-stream.js'
import type { Cipher } from '../cipher/cipher.js'

const ivBytes = 12
const tagBytes = 16
const idBytes = 4

/**
 * A cipher in forty lines that keeps the contract, for tests of what uses one: AES-256-GCM over the whole, in memory.
 * No backup is to be made with it: a gigabyte takes a gigabyte.
 *
 * @param options.key - Whoever has the same text reads.
 * @param options.canDecrypt - `false` makes one that can write and never read.
 */
export function toyCipher({ key = 'a toy', canDecrypt = true }: { key?: string; canDecrypt?: boolean } = {}): Cipher {
  const secret = createHash('sha256').update(key).digest()
  const keyId = createHash('sha256').update(secret).digest().subarray(0, idBytes)
  return {
    id: 'toy',
    extension: '.toy',
    decryptCommand: 'toy-decrypt',
    keyIds: [keyId.toString('hex')],
    canDecrypt,
    async *encrypt(plain, ctx) {
      const content = await readAll(plain)
      ctx.signal.throwIfAborted()
      const iv = randomBytes(ivBytes)
      const seal = createCipheriv('aes-256-gcm', secret, iv)
      yield Buffer.concat([keyId, iv, seal.update(content), seal.final(), seal.getAuthTag()])
    },
    async *decrypt(encrypted, ctx) {
      if (!canDecrypt) throw new BackupError('wrong-key', { message: 'This toy can write and never read' })
      const content = await readAll(encrypted)
      ctx.signal.throwIfAborted()
      if (content.length < idBytes + ivBytes + tagBytes) throw damaged('they end early')
      if (!content.subarray(0, idBytes).equals(keyId))
        throw new BackupError('wrong-key', { message: 'The toy is locked with another key' })
      const open = createDecipheriv('aes-256-gcm', secret, content.subarray(idBytes, idBytes + ivBytes))
      open.setAuthTag(content.subarray(-tagBytes))
      const plain = open.update(content.subarray(idBytes + ivBytes, -tagBytes))
      try {
        open.final()
      } catch {
        throw damaged('they were changed')
      }
      if (plain.length > 0) yield plain
    },
  }
}

function damaged(reason: string): BackupError {
  return new BackupError('corrupt', { message: `The toy's data are damaged: ${reason}` })
}
