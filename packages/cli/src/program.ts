import type { Duration } from '@holdfast/core'
import { Command, InvalidArgumentError, Option } from 'commander'
import type { Cli } from './cli.js'
import type { BackupCommandOptions } from './commands/choose-jobs.js'
import type { CopyCommandOptions } from './commands/copy.js'
import type { DoctorCommandOptions } from './commands/doctor.js'
import type { CatCommandOptions, DownloadCommandOptions } from './commands/download.js'
import type { KeyGenerateOptions } from './commands/key-generate.js'
import type { KeyKitOptions } from './commands/key-kit.js'
import type { ListCommandOptions } from './commands/list.js'
import type { AsideCommandOptions, RestoreCommandOptions } from './commands/restore-options.js'
import type { StorageCheckOptions } from './commands/storage-check.js'
import type { VerifyCommandOptions } from './commands/verify.js'
import type { ExitCode } from './exit-codes.js'
import type { GlobalOptions } from './output/output.js'
import { createScrubber } from './output/scrub.js'
import { ownVersion } from './version.js'
import type { World } from './world.js'

/** A command: arguments as given, options as declared below. */
export type CommandFunction<Options> = (cli: Cli, args: readonly string[], options: Options) => Promise<ExitCode>

/** Loads a command and runs it. */
export type StartCommand = <Options>(
  command: string,
  load: () => Promise<CommandFunction<Options>>,
  args: readonly string[],
  options: Options,
  globals: GlobalOptions,
) => Promise<void>

/** Declares every command. Nothing that a command needs is loaded before it runs. */
export function buildProgram(world: World, start: StartCommand): Command {
  const { scrub } = createScrubber()
  const program = new Command('holdfast')
    .description('Backs up databases to disk, S3 and SFTP, and restores them.')
    .version(ownVersion(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help; `holdfast COMMAND --help` tells about a command')
    .option('-c, --config <file>', 'config file (default: holdfast.config.{ts,js,mjs,json,yaml}, searched upward)')
    .option('--json', 'print one JSON document on standard output')
    .option('-q, --quiet', 'print results, warnings and errors alone')
    .option('-v, --verbose', 'print more, and stack traces')
    .option('--no-color', 'print without colours (also NO_COLOR)')
    .addOption(
      new Option('--progress <how>', 'how to show progress: a bar at a terminal, else lines')
        .choices(['auto', 'bar', 'lines', 'json', 'none'])
        .default('auto'),
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      writeErr: (text) => world.stderr.write(scrub(text)),
      outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')),
      getOutHelpWidth: () => world.stdout.columns ?? 100,
      getErrHelpWidth: () => world.stderr.columns ?? 100,
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('Run the command with --help to see what it takes.')

  const on =
    <Options>(load: () => Promise<CommandFunction<Options>>) =>
    async (...given: readonly unknown[]): Promise<void> => {
      const command = given.at(-1) as Command
      await start(
        command.name(),
        load,
        command.args,
        optionsOf<Options & object>(command),
        program.opts<GlobalOptions>(),
      )
    }

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
    .action(on<BackupCommandOptions>(async () => (await import('./commands/backup.js')).backupCommand))
    .addHelpText('after', example('holdfast backup postgres://app@db/shop --to ./backups --to s3://acme-backups/prod'))

  program
    .command('list')
    .summary('list backups')
    .description('Lists what the storages hold, newest first.')
    .argument('[job]', 'only backups of this job')
    .addOption(fromOption())
    .addOption(storageAlias())
    .action(on<ListCommandOptions>(async () => (await import('./commands/list.js')).listCommand))
    .addHelpText('after', example('holdfast list --from ./backups'))

  program
    .command('show')
    .summary('show one backup')
    .description('Shows everything that is known of a backup, with the line that restores it without Holdfast.')
    .argument('<backup>', selectorText)
    .addOption(fromOption())
    .addOption(storageAlias())
    .action(on<ListCommandOptions>(async () => (await import('./commands/show.js')).showCommand))
    .addHelpText('after', example('holdfast show latest --from ./backups'))

  const restore = program
    .command('restore')
    .summary('restore a backup')
    .description('Restores a backup into a database, after showing what will happen and asking.')
    .argument('[backup|file]', `${selectorText} (default: latest); or a dump: a file, an object by its URL, or -`)
    .option('--into <URL>', 'the database to restore into; made if it is not there')
    .option('--into-file <file>', 'read that URL from a file')
    .addOption(fromOption())
    .addOption(storageAlias())
    .addOption(identityOption())
    .addOption(passphraseFileOption())
    .addOption(
      new Option(
        '--mode <mode>',
        'what to do with what is in the target (default: staged where it holds data)',
      ).choices(['create', 'staged', 'replace', 'clean', 'append']),
    )
    .addOption(
      new Option('--staged', 'restore beside the database, check, change places; keep the old one').conflicts('mode'),
    )
    .addOption(new Option('--replace', 'the same, and drop the old one').conflicts(['mode', 'staged']))
    .addOption(new Option('--drop', 'the same as --replace').conflicts(['mode', 'staged']))
    .addOption(
      new Option('--clean', 'in place: drop and make again what the backup holds').conflicts([
        ...['mode', 'staged', 'replace', 'drop'],
      ]),
    )
    .addOption(
      new Option('--append', 'in place: add to what is there').conflicts([
        ...['mode', 'staged', 'replace', 'drop', 'clean'],
      ]),
    )
    .option('--keep-old <duration>', 'how long a staged restore keeps the old database: 24h (default), 7d, no', keepOld)
    .option('--safety-backup', 'back up what is there first')
    .option('--assert <SQL>', 'must return true before the databases change places; may be repeated', append)
    .option('--dry-run', 'only show what would happen, and what is in the way')
    .option('--tables <table>', 'only these tables; may be repeated', appendList)
    .addOption(new Option('--schema-only', 'no rows').conflicts('dataOnly'))
    .option('--data-only', 'rows alone')
    .option('--jobs <number>', 'connections to restore with, from a spooled file', wholeNumber)
    .option('--terminate', 'end other connections to the target')
    .option('--no-owner', 'everything belongs to the connecting user')
    .option('--no-privileges', 'leave grants out')
    .option('--globals', 'roles and tablespaces too, where the backup has them')
    .option('--bin-dir <directory>', "where the engine's programs are")
    .option('-y, --yes', 'do not ask')
    .action(on<RestoreCommandOptions>(async () => (await import('./commands/restore.js')).restoreCommand))
    .addHelpText('after', example('holdfast restore latest --from ./backups --into postgres://app@db/shop_copy'))
  restore
    .command('undo')
    .summary('go back to the database that a staged restore put aside')
    .description('Goes back to what the last staged restore has put aside; what is there now is put aside in its turn.')
    .argument('[name]', 'the database to take back (default: the one that was replaced last)')
    .option('--into <URL|job>', 'the database that was restored into (default: that of the only job)')
    .option('--into-file <file>', 'read that URL from a file')
    .option('--terminate', 'end other connections to both databases')
    .option('--bin-dir <directory>', "where the engine's programs are")
    .option('-y, --yes', 'do not ask')
    .action(on<AsideCommandOptions>(async () => (await import('./commands/asides.js')).undoCommand))
    .addHelpText('after', example('holdfast restore undo --into postgres://app@db/shop'))
  restore
    .command('cleanup')
    .summary('drop what restores have put aside or left')
    .description('Drops what staged restores have put aside, and what restores that were killed have left.')
    .option('--into <URL|job>', 'the database that was restored into (default: those of all jobs)')
    .option('--into-file <file>', 'read that URL from a file')
    .option(
      '--keep-old <duration>',
      'drop what is older (default: what is over the time it was put aside for)',
      keepOld,
    )
    .option('--all', 'drop what is younger, too')
    .option('--bin-dir <directory>', "where the engine's programs are")
    .option('-y, --yes', 'do not ask')
    .action(on<AsideCommandOptions>(async () => (await import('./commands/asides.js')).cleanupCommand))
    .addHelpText('after', example('holdfast restore cleanup --into shop'))

  program
    .command('verify')
    .summary('re-read backups and compare')
    .description(
      'Reads copies to their end and compares sizes and hashes; with --test-restore one is restored into a scratch database, which is compared with what was dumped, and dropped. Without an argument: what is due by the verify settings of the jobs, or every backup where no job has any.',
    )
    .argument('[job|backup]', `a job, for all its backups, or ${selectorText}`)
    .option('--test-restore', 'restore the backup for a test; of a job, its latest')
    .option('--on <URL>', 'make the scratch database beside this database, which is not touched (default: the source)')
    .option('--on-file <file>', 'read that URL from a file')
    .option('--bin-dir <directory>', "where the engine's programs are")
    .option('--assert <SQL>', 'a statement whose one value has to be true there; may be repeated', append)
    .option('--all', 'every backup, whether it is due or not')
    .addOption(fromOption())
    .addOption(storageAlias())
    .addOption(identityOption())
    .addOption(passphraseFileOption())
    .action(on<VerifyCommandOptions>(async () => (await import('./commands/verify.js')).verifyCommand))
    .addHelpText('after', example('holdfast verify latest --from ./backups --test-restore --on postgres://app@db/shop'))

  program
    .command('download')
    .summary('save a backup to a file')
    .description('Saves the parts of a backup, as they lie on the storage or as dumped.')
    .argument('<backup>', selectorText)
    .option('-o, --output <file>', 'file or directory; - is standard output (default: the working directory)')
    .option('--part <name>', 'only this part')
    .option('--decrypt', 'decrypted and decompressed')
    .option('--force', 'overwrite a file')
    .addOption(fromOption())
    .addOption(storageAlias())
    .addOption(identityOption())
    .addOption(passphraseFileOption())
    .action(on<DownloadCommandOptions>(async () => (await import('./commands/download.js')).downloadCommand))
    .addHelpText('after', example('holdfast download latest --from s3://acme-backups/prod -o ./shop.dump.zst'))

  program
    .command('cat')
    .summary('write the dump to standard output')
    .description('Writes a part of a backup to standard output, decrypted and decompressed.')
    .argument('<backup>', selectorText)
    .option('--part <name>', 'this part (default: the dump)')
    .addOption(fromOption())
    .addOption(storageAlias())
    .addOption(identityOption())
    .addOption(passphraseFileOption())
    .action(on<CatCommandOptions>(async () => (await import('./commands/download.js')).catCommand))
    .addHelpText('after', example('holdfast cat latest --from ./backups | pg_restore --list'))

  program
    .command('copy')
    .summary('copy a backup to another storage')
    .description('Copies a backup to another storage as it lies, comparing hashes on the way.')
    .argument('<backup>', selectorText)
    .requiredOption('--to <storage>', 'where to; may be repeated', append)
    .addOption(fromOption())
    .addOption(storageAlias())
    .action(on<CopyCommandOptions>(async () => (await import('./commands/copy.js')).copyCommand))
    .addHelpText('after', example('holdfast copy latest --from ./backups --to s3://acme-backups/prod'))

  program
    .command('doctor')
    .summary('check that everything is in place')
    .description('Checks programs, databases, storages and the last backups, and says what to do about each finding.')
    .argument('[job|URL]', 'only this job, or the database of a URL')
    .option('--to <storage>', 'a storage to look at, made if it is not there; may be repeated', append)
    .addOption(fromOption())
    .option('--bin-dir <directory>', "where the engine's programs are")
    .action(on<DoctorCommandOptions>(async () => (await import('./commands/doctor.js')).doctorCommand))
    .addHelpText('after', example('holdfast doctor postgres://app@db/shop --to ./backups'))

  const key = program
    .command('key')
    .summary('make keys, and the sheet to keep with them')
    .description('Makes keys for encrypted backups, and the sheet to keep with them.')
  key
    .command('generate')
    .description('Makes an age key: a file for its owner alone, and the recipient that backups are encrypted for.')
    .option('-o, --output <file>', 'where to; - is standard output (default: holdfast-key.txt)')
    .addOption(new Option('--passphrase', 'ask for a passphrase to put the key under').conflicts('passphraseFile'))
    .option('--passphrase-file <file>', 'read that passphrase from a file')
    .action(on<KeyGenerateOptions>(async () => (await import('./commands/key-generate.js')).keyGenerateCommand))
    .addHelpText('after', example('holdfast key generate -o backup-key.txt'))

  key
    .command('kit')
    .description('Makes a recovery kit to print: where the backups are, and how to restore them with standard tools.')
    .option('-o, --output <file>', 'where to, as text or .html (default: standard output)')
    .addOption(fromOption())
    .option('--identity <file>', 'print this key on it too')
    .option('--html', 'as a page of HTML')
    .action(on<KeyKitOptions>(async () => (await import('./commands/key-kit.js')).keyKitCommand))
    .addHelpText('after', example('holdfast key kit --identity backup-key.txt -o recovery-kit.html'))

  const storage = program
    .command('storage')
    .summary('check a storage, or forget it')
    .description('Looks after storages.')
  storage
    .command('check')
    .description('Runs the public storage contract against a storage, below a prefix of its own, and cleans up.')
    .argument('<storage>', 'name, directory, s3://bucket/prefix or sftp://user@host/dir')
    .option('--heavy', 'also the cases that move many megabytes or requests')
    .action(on<StorageCheckOptions>(async () => (await import('./commands/storage-check.js')).storageCheckCommand))
    .addHelpText('after', example('holdfast storage check s3://acme-backups/prod'))

  storage
    .command('forget')
    .description('Forgets which storage lay at a place, after it was emptied or exchanged on purpose.')
    .argument('<storage>', 'name, directory, s3://bucket/prefix or sftp://user@host/dir')
    .action(on<object>(async () => (await import('./commands/storage-forget.js')).storageForgetCommand))
    .addHelpText('after', example('holdfast storage forget ./backups'))

  return program
}

/** A command's own options; of a command below another, also those that the upper one has taken for its own. */
function optionsOf<Options extends object>(command: Command): Options {
  const above = command.parent
  const names = new Set(command.options.map((option) => option.attributeName()))
  const taken = Object.entries(above?.opts() ?? {}).filter(([name]) => names.has(name))
  return { ...Object.fromEntries(taken), ...command.opts<Options>() }
}

const selectorText = 'id or its beginning, latest, latest~1, or a job for its latest'

function fromOption(): Option {
  return new Option(
    '--from <storage>',
    'where to look: name, directory, s3://bucket/prefix or sftp://user@host/dir; may be repeated',
  ).argParser(append)
}

function storageAlias(): Option {
  return new Option('--storage <storage>', 'the same as --from').argParser(append).hideHelp()
}

function identityOption(): Option {
  return new Option('--identity <file>', 'an age key that reads encrypted backups; may be repeated').argParser(append)
}

function passphraseFileOption(): Option {
  return new Option('--passphrase-file <file>', 'the passphrase of the key, or of the backup')
}

function example(line: string): string {
  return `\nExample:\n  $ ${line}\n`
}

function append(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value]
}

/** Names between commas; a comma within double quotes belongs to a name. */
function appendList(value: string, previous: readonly string[] = []): readonly string[] {
  const names = (value.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? []).map((name) => name.trim()).filter(Boolean)
  if (names.length === 0) throw new InvalidArgumentError('It names nothing.')
  return [...previous, ...names]
}

/** A span of time, or `no`. */
function keepOld(value: string): Duration | false {
  if (value === 'no') return false
  if (/^[1-9]\d*(?:\.\d+)?(?:s|m|h|d)$/.test(value)) return value as Duration
  throw new InvalidArgumentError('It must be a span of time such as 12h or 7d, or no.')
}

function wholeNumber(value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= 1) return number
  throw new InvalidArgumentError('It must be a whole number from 1.')
}
