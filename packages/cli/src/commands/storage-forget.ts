import { BackupError } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { forgetStorage, knownStoragesFile } from '../configuration/known-storages.js'
import { chooseStorages, loggerTo, readSetup } from '../configuration/setup.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'

/** Forgets which storage lay at a place: for one that was emptied or exchanged on purpose. */
export async function storageForgetCommand(cli: Cli, args: readonly string[]): Promise<ExitCode> {
  const setup = await readSetup(cli, args)
  const [storage] = Object.values(await chooseStorages(args, setup, cli, false))
  const place = storage?.display ?? ''
  await storage?.close?.()
  const file = knownStoragesFile(cli.world)
  if (file === undefined || !forgetStorage(file, place, loggerTo(cli))) {
    throw new BackupError('no-match', {
      message: `${place} is not remembered here: there is nothing to forget`,
      hint: 'Name the storage as the backups do: by its name, directory or URL, and as the user who runs them.',
    })
  }
  cli.output.document({ status: 'forgotten', storage: place })
  cli.output.result(`${place} is forgotten: the next backup takes what lies there for what it is`)
  return exitCodes.done
}
