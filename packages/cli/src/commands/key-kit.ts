import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { BackupError, messageOf, type Storage, streamOf } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { withEncryption } from '../configuration/encryption.js'
import { chooseStorages, readSetup, type Setup } from '../configuration/setup.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { type KitFacts, type KitJob, kitAsHtml, kitAsText } from '../output/recovery-kit.js'
import { destinationFor, saveTo } from './save-file.js'

/** Options of `holdfast key kit`. */
export interface KeyKitOptions {
  /** Where the backups are, where that is not the configuration's. */
  readonly from?: readonly string[]
  readonly output?: string
  readonly identity?: string
  readonly html?: boolean
}

/** Makes the sheet that brings the backups back when nothing else is left: to print, and to keep where keys are kept. */
export async function keyKitCommand(cli: Cli, _args: readonly string[], options: KeyKitOptions): Promise<ExitCode> {
  const { output, world, signal } = cli
  const setup = await readSetup(cli, options.from)
  const storages = await chooseStorages(options.from, setup, cli, false)
  const facts: KitFacts = {
    madeAt: new Date(),
    jobs: await jobsOf(setup),
    storages: Object.values(storages).map(({ name, display }) => ({ name, display })),
    ...(options.identity !== undefined && { key: readKey(resolve(world.cwd, options.identity)) }),
  }
  const html = options.html ?? /\.html?$/i.test(options.output ?? '')
  const content = html ? kitAsHtml(facts) : kitAsText(facts)
  if (options.output === undefined || options.output === '-') {
    if (output.json) output.document({ status: 'made', kit: content })
    else world.stdout.write(content)
    return exitCodes.done
  }
  const destination = destinationFor(options.output, world.cwd)
  const name = html ? 'recovery-kit.html' : 'recovery-kit.txt'
  const { file } = await saveTo(destination, name, streamOf(Buffer.from(content)), { signal })
  output.document({ status: 'made', file, holdsKey: facts.key !== undefined })
  const rest =
    facts.key === undefined
      ? 'It does not hold the key: keep that too.'
      : 'It holds the key: whoever has it reads the backups.'
  const places = facts.storages.map(({ display }) => display).join(', ') || 'none: write them on it by hand'
  output.result(
    [
      `The recovery kit is in ${output.paint.strong(file)}. ${rest} Print it, keep it away from the servers.`,
      `Places of backups that it names: ${places}`,
      ...(options.from ? [] : ['If they are elsewhere, make it again with --from.']),
    ].join('\n'),
  )
  return exitCodes.done
}

async function jobsOf(setup: Setup): Promise<readonly KitJob[]> {
  const jobs = withEncryption(await setup.jobs(), setup.read)
  return Object.entries(jobs).map(([name, { source, storages, encrypt: cipher }]) => {
    return {
      name,
      engine: source.engine,
      source: source.display,
      storages: storages.map((storage: string | Storage) => (typeof storage === 'string' ? storage : storage.name)),
      ...(cipher && { cipher: { id: cipher.id, keyIds: cipher.keyIds } }),
    }
  })
}

function readKey(path: string): string {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (/AGE-SECRET-KEY-|-----BEGIN AGE/.test(text)) return text
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `The identity ${path} cannot be read: ${messageOf(error)}`,
      hint: 'Check the path of --identity and its permissions.',
      cause: error,
    })
  }
  throw new BackupError('config-invalid', {
    message: `${path} holds no age identity that can be printed`,
    hint: 'An identity is a text, as `holdfast key generate` and `age-keygen` write it; one under a passphrase has to be armored (age -a).',
  })
}
