import { type Command, Option } from 'commander'
import type { AsideCommandOptions, RestoreCommandOptions } from '../commands/restore-options.js'
import type { RunCommand } from './command-function.js'
import { append, appendList, keepOld, wholeNumber } from './option-values.js'
import { example, readingBackups, selectorText } from './shared-options.js'

/** Declares `holdfast restore`, `restore undo` and `restore cleanup`. */
export function declareRestore(program: Command, run: RunCommand): void {
  const restore = readingBackups(
    program
      .command('restore')
      .summary('restore a backup')
      .description('Restores a backup into a database, after showing what will happen and asking.')
      .argument('[backup|file]', `${selectorText} (default: latest); or a dump: a file, an object by its URL, or -`)
      .option('--into <URL>', 'the database to restore into; made if it is not there')
      .option('--into-file <file>', 'read that URL from a file'),
  )
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
    .option(
      '--jobs <number>',
      'connections to restore with, from a spooled file (PostgreSQL; not in place)',
      wholeNumber,
    )
    .option('--terminate', 'let the restore end other connections to the target')
    .option('--no-owner', 'everything belongs to the connecting user')
    .option('--no-privileges', 'leave grants out')
    .option('--globals', 'roles and tablespaces too, where the backup has them')
    .option('--bin-dir <directory>', "where the engine's programs are")
    .option('-y, --yes', 'do not ask')
    .action(run<RestoreCommandOptions>(async () => (await import('../commands/restore.js')).restoreCommand))
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
    .action(run<AsideCommandOptions>(async () => (await import('../commands/undo.js')).undoCommand))
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
    .action(run<AsideCommandOptions>(async () => (await import('../commands/cleanup.js')).cleanupCommand))
    .addHelpText('after', example('holdfast restore cleanup --into shop'))
}
