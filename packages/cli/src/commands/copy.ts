import type { BackupRecord, Holdfast } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type FromOptions, openBackups } from '../configuration/open-backups.js'
import { chooseStorages } from '../configuration/setup.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { createProgress } from '../output/progress.js'
import { visible } from '../output/visible.js'

/** Options of `holdfast copy`. */
export interface CopyCommandOptions extends FromOptions {
  readonly to: readonly string[]
}

/** Copies a backup to other storages; one that holds it already is left alone. */
export async function copyCommand(cli: Cli, args: readonly string[], options: CopyCommandOptions): Promise<ExitCode> {
  const { output, signal } = cli
  const opened = await openBackups(options, cli, options.to)
  await using holdfast = opened.holdfast
  const targets = Object.keys(await chooseStorages(options.to, opened.setup, cli))
  const backup = await backupToCopy(args[0] ?? 'latest', holdfast, options, cli)
  const copies: { storage: string; copied: boolean }[] = []
  for (const target of targets) {
    using progress = createProgress(backup.shortId, cli.world, output, cli.options)
    const { copied } = await holdfast.copy(backup.id, target, { signal, onProgress: progress.report })
    progress[Symbol.dispose]()
    const what = copied ? `lies on ${target} now` : `is on ${target} already; nothing was done`
    output.result(`Backup ${output.paint.strong(backup.shortId)} of ${visible(backup.job)} ${what}`)
    copies.push({ storage: target, copied })
  }
  const status = copies.some(({ copied }) => copied) ? 'copied' : 'unchanged'
  output.document({ status, id: backup.id, shortId: backup.shortId, name: backup.name, to: targets, copies })
  return exitCodes.done
}

/** With --from, `latest` is the latest there, whatever lies where it is to go. */
async function backupToCopy(
  selector: string,
  holdfast: Holdfast,
  options: CopyCommandOptions,
  cli: Cli,
): Promise<BackupRecord> {
  const how = { signal: cli.signal, restorable: true }
  if (!options.from && !options.storage) return holdfast.show(selector, how)
  await using from = (await openBackups(options, cli)).holdfast
  return await from.show(selector, how)
}
