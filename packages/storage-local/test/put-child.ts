// Puts one object, as a process that can be killed or run out of room: put-child.ts <directory> <key> <MiB> [wait]
import { type ByteStream, createRunContext, MiB } from '@holdfast/core'
import { local } from '../src/local-storage.js'

const [path = '', key = '', size = '1', then] = process.argv.slice(2)

async function* body(): ByteStream {
  for (let sent = 0; sent < Number(size); sent++) yield Buffer.alloc(MiB, sent)
  if (then !== 'wait') return
  process.stdout.write('waiting\n')
  await new Promise((resolve) => setTimeout(resolve, 3_600_000))
}

try {
  await local({ path }).put(key, body(), {}, createRunContext())
  process.stdout.write('stored\n')
} catch (error) {
  process.stdout.write(`${JSON.stringify(error)} ${error}\n`)
}
