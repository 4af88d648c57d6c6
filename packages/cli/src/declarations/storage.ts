import type { Command } from 'commander'
import type { StorageCheckOptions } from '../commands/storage-check.js'
import type { RunCommand } from './command-function.js'
import { example } from './shared-options.js'

/** Declares `holdfast storage check` and `storage forget`. */
export function declareStorage(program: Command, run: RunCommand): void {
  const storage = program
    .command('storage')
    .summary('check a storage, or forget it')
    .description('Looks after storages.')
  storage
    .command('check')
    .description('Runs the public storage contract against a storage, below a prefix of its own, and cleans up.')
    .argument('<storage>', 'name, directory, s3://bucket/prefix or sftp://user@host/dir')
    .option('--heavy', 'also the cases that move many megabytes or requests')
    .action(run<StorageCheckOptions>(async () => (await import('../commands/storage-check.js')).storageCheckCommand))
    .addHelpText('after', example('holdfast storage check s3://acme-backups/prod'))

  storage
    .command('forget')
    .description('Forgets which storage lay at a place, after it was emptied or exchanged on purpose.')
    .argument('<storage>', 'name, directory, s3://bucket/prefix or sftp://user@host/dir')
    .action(run<object>(async () => (await import('../commands/storage-forget.js')).storageForgetCommand))
    .addHelpText('after', example('holdfast storage forget ./backups'))
}
