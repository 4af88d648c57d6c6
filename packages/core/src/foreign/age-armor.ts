import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'

const begin = '-----BEGIN AGE ENCRYPTED FILE-----'
const end = '-----END AGE ENCRYPTED FILE-----'

/**
 * The bytes of an age file that was written as text (`age --armor`; PEM with base64 of RFC 4648).
 *
 * @throws {BackupError} `corrupt` where lines are damaged or its end is missing.
 */
export async function* withoutArmor(source: ByteStream): AsyncGenerator<Uint8Array> {
  let rest = ''
  let state = 'before' as 'before' | 'within' | 'after'
  const take = (line: string): Buffer => {
    const text = line.trim()
    if (state === 'within' && text !== end) return decode(text)
    if (state === 'before' && text === begin) state = 'within'
    else if (state === 'within') state = 'after'
    else if (text !== '') throw damaged('there is something before or after them')
    return Buffer.alloc(0)
  }
  for await (const chunk of source) {
    const text = rest + Buffer.from(chunk).toString('latin1')
    const cut = text.lastIndexOf('\n') + 1
    rest = text.slice(cut)
    if (rest.length > 1024) throw damaged('a line is too long')
    const bytes = Buffer.concat(text.slice(0, cut).split('\n').map(take))
    if (bytes.length > 0) yield bytes
  }
  if (rest !== '') yield take(rest)
  if (state !== 'after') throw damaged('they end too early')
}

function decode(line: string): Buffer {
  if (line.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(line)) throw damaged('a line is not base64')
  return Buffer.from(line, 'base64')
}

function damaged(why: string): BackupError {
  return new BackupError('corrupt', {
    message: `The lines of the age file are damaged: ${why}`,
    hint: 'Use another copy of it.',
  })
}
