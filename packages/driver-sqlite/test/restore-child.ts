// Restores or swaps a file into another until it is killed: `node restore-child.ts FROM TO restore|swap|wait`. What waits
// has a scratch beside the target that is whole, and has not swapped it in.
import { createRunContext } from '@holdfast/core'
import { memoryBackup } from '@holdfast/core/testing'
import { sqlite } from '../src/driver.js'

const [from = '', to = '', way = 'restore'] = process.argv.slice(2)
const ctx = createRunContext()
const backup = await memoryBackup(sqlite({ path: from }), {}, ctx)
const target = sqlite({ path: to })
const ready = (): boolean => process.stdout.write('ready\n')
if (way !== 'wait') ready()
if (way === 'restore') {
  await target.restore(backup, { mode: 'clean' }, ctx)
} else {
  await using scratch = await target.scratch?.({ manifest: backup.manifest, toSwap: true }, ctx)
  await scratch?.driver.restore(backup, { mode: 'create' }, ctx)
  if (way === 'wait') {
    ready()
    await new Promise(() => process.stdin.resume())
  }
  await scratch?.swap?.({ terminateConnections: false }, ctx)
}
