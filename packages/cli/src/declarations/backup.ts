import { type Command, Option } from 'commander'
import type { BackupCommandOptions } from '../commands/choose-jobs.js'
import type { RunCommand } from './command-function.js'
import { append, appendList, wholeNumber } from './option-values.js'
import { example } from './shared-options.js'

/** Declares `holdfast backup`. */
export function declareBackup(program: Command, run: RunCommand): void {
  program
    .command('backup')
    .summary('back up now')
    .description('Backs up jobs of the configuration, or the database of a URL, now. Without a job: every one.')
    .argument('[job|URL...]', 'jobs, or the URL of a database')
    .option('--url-file <file>', 'read the URL of the database from a file')
    .option(
      '--to <storage>',
      'where to: name, directory, s3://bucket/prefix or sftp://user@host/dir; may be repeated',
      append,
    )
    .option('--tables <pattern>', 'only these tables; may be repeated', appendList)
    .option('--exclude-tables <pattern>', 'not these tables; may be repeated', appendList)
    .addOption(new Option('--schema-only', 'no rows').conflicts('dataOnly'))
    .option('--data-only', 'rows alone')
    .option('--format <format>', 'format of the dump (PostgreSQL: custom, plain)')
    .option('--compress <how>', 'zstd, zstd:9, gzip, gzip:6 or none')
    .option('--age-recipient <recipient>', 'encrypt for age1…; may be repeated', append)
    .option('--label <text>', 'a note to keep with the backup')
    .option('--min-copies <number>', 'copies that must be whole for the run to count', wholeNumber)
    .addOption(new Option('--inventory <level>', 'what to record of the rows').choices(['none', 'counts', 'checksums']))
    .option('--globals', 'roles and tablespaces of the server too')
    .option('--bin-dir <directory>', "where the engine's programs are")
    .action(run<BackupCommandOptions>(async () => (await import('../commands/backup.js')).backupCommand))
    .addHelpText('after', example('holdfast backup postgres://app@db/shop --to ./backups --to s3://acme-backups/prod'))
}
