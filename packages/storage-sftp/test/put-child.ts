// Replaces an object until it is killed: `node put-child.ts KEY`, options of the storage as JSON in SFTP_OPTIONS.
import { createRunContext, streamOf } from '@holdfast/core'
import { type SftpOptions, sftp } from '../src/index.js'

const [key = ''] = process.argv.slice(2)
const storage = sftp(JSON.parse(process.env.SFTP_OPTIONS ?? '') as SftpOptions)
const ctx = createRunContext()
for (let round = 1; ; round++) {
  await storage.put(key, streamOf(Buffer.from(`content ${process.pid} ${round}`)), {}, ctx)
  if (round === 1) process.stdout.write('ready\n')
}
