import type { Cli } from '../cli.js'
import { type FromOptions, openBackups } from '../configuration/open-backups.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { visible } from '../output/visible.js'

/** Keeps a backup from being deleted by retention. */
export function pinCommand(cli: Cli, args: readonly string[], options: FromOptions): Promise<ExitCode> {
  return setPin(true, args, options, cli)
}

/** Leaves a backup to retention again. */
export function unpinCommand(cli: Cli, args: readonly string[], options: FromOptions): Promise<ExitCode> {
  return setPin(false, args, options, cli)
}

async function setPin(isPinned: boolean, args: readonly string[], options: FromOptions, cli: Cli): Promise<ExitCode> {
  const { output, signal } = cli
  await using holdfast = (await openBackups(options, cli)).holdfast
  const selector = args[0] ?? 'latest'
  const backup = await (isPinned ? holdfast.pin(selector, { signal }) : holdfast.unpin(selector, { signal }))
  output.document({ status: isPinned ? 'pinned' : 'unpinned', id: backup.id, name: backup.name })
  const what = isPinned ? 'is pinned: retention never deletes it' : 'is left to retention again'
  output.result(`Backup ${output.paint.strong(backup.shortId)} of ${visible(backup.job)} ${what}`)
  return exitCodes.done
}
