import { closeSync, openSync, readdirSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { isBackupError } from '../src/backup-error.js'
import { gpg } from '../src/cipher/gpg.js'
import { askProgram } from '../src/driver/ask-program.js'
import { startChild } from '../src/driver/child-process.js'
import { versionDirectories } from '../src/driver/version-directories.js'
import { createRunContext } from '../src/run-context.js'

/** Under a low limit (`ulimit -n`), with so many descriptors left: what comes of starting children, and what stays open. */
interface Outcome {
  readonly left: number
  readonly started: string
  readonly asked: string
  readonly keys: string
  readonly listed: string
  readonly leaked: number
}

const most = 32
const ctx = createRunContext()
const descriptors = (): number => readdirSync('/proc/self/fd').length

async function start(): Promise<string> {
  const spec = { name: 'script', command: '/bin/sh', args: ['-c', 'echo word >&3'], failure: 'restore-failed' } as const
  const said: string[] = []
  const extra = [{ kind: 'lines', onLine: (line: string) => said.push(line) }] as const
  await startChild(spec, { stdin: 'ignore', stdout: 'ignore', extra }, ctx).done
  return said.join()
}

const ask = async (): Promise<string> => (await askProgram('/bin/echo', ['word'], {}))?.trim() ?? 'nothing'

/** A keyring without keys. */
const keyring = gpg({ program: '/bin/true' })
const keys = async (): Promise<string> => (keyring.canDecrypt ? 'some' : 'none')

const list = async (): Promise<string> => versionDirectories([['/usr', /^bin$/, '.']]).join()

async function outcome(of: () => Promise<string>): Promise<string> {
  try {
    return await of()
  } catch (error) {
    return isBackupError(error) ? `${error.code}${error.retryable ? ' (retryable)' : ''}: ${error.message}` : `${error}`
  }
}

/** What is open once all that is being closed is closed. */
async function settled(expected: number): Promise<number> {
  for (let turns = 0; turns < 1_000 && descriptors() > expected; turns++) await turn()
  return descriptors()
}

await ask() // what Node opens once and keeps
const before = await settled(0)
for (let left = 0; left <= most; left++) {
  const held: number[] = []
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    for (let i = 0; i < left; i++) closeSync(held.pop() ?? -1)
  }
  const tried = {
    started: await outcome(start),
    asked: await outcome(ask),
    keys: await outcome(keys),
    listed: await outcome(list),
  }
  for (const descriptor of held) closeSync(descriptor)
  const result: Outcome = { left, ...tried, leaked: (await settled(before)) - before }
  console.log(JSON.stringify(result))
}
