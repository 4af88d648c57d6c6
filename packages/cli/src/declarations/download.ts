import type { Command } from 'commander'
import type { CopyCommandOptions } from '../commands/copy.js'
import type { CatCommandOptions, DownloadCommandOptions } from '../commands/download.js'
import type { RunCommand } from './command-function.js'
import { append } from './option-values.js'
import { example, lookingForBackups, readingBackups, selectorText } from './shared-options.js'

/** Declares `holdfast download`, `cat` and `copy`. */
export function declareDownload(program: Command, run: RunCommand): void {
  readingBackups(
    program
      .command('download')
      .summary('save a backup to a file')
      .description('Saves the parts of a backup, as they lie on the storage or as dumped.')
      .argument('<backup>', selectorText)
      .option('-o, --output <file>', 'file or directory; - is standard output (default: the working directory)')
      .option('--part <name>', 'only this part')
      .option('--decrypt', 'decrypted and decompressed')
      .option('--force', 'overwrite a file'),
  )
    .action(run<DownloadCommandOptions>(async () => (await import('../commands/download.js')).downloadCommand))
    .addHelpText('after', example('holdfast download latest --from s3://acme-backups/prod -o ./shop.dump.zst'))

  readingBackups(
    program
      .command('cat')
      .summary('write the dump to standard output')
      .description('Writes a part of a backup to standard output, decrypted and decompressed.')
      .argument('<backup>', selectorText)
      .option('--part <name>', 'this part (default: the dump)'),
  )
    .action(run<CatCommandOptions>(async () => (await import('../commands/download.js')).catCommand))
    .addHelpText('after', example('holdfast cat latest --from ./backups | pg_restore --list'))

  lookingForBackups(
    program
      .command('copy')
      .summary('copy a backup to another storage')
      .description('Copies a backup to another storage as it lies, comparing hashes on the way.')
      .argument('<backup>', selectorText)
      .requiredOption('--to <storage>', 'where to; may be repeated', append),
  )
    .action(run<CopyCommandOptions>(async () => (await import('../commands/copy.js')).copyCommand))
    .addHelpText('after', example('holdfast copy latest --from ./backups --to s3://acme-backups/prod'))
}
