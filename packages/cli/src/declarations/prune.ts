import type { Command } from 'commander'
import type { PruneCommandOptions } from '../commands/prune.js'
import type { FromOptions } from '../configuration/open-backups.js'
import type { RunCommand } from './command-function.js'
import { example, lookingForBackups, selectorText } from './shared-options.js'

/** Declares `holdfast prune`. */
export function declarePrune(program: Command, run: RunCommand): void {
  lookingForBackups(
    program
      .command('prune')
      .summary('delete what retention does not keep')
      .description(
        'Shows which backups stay and why, and deletes the rest. The newest complete backup, the newest verified one and pinned ones always stay. No key that reads backups is needed. The retention is that of the job, or of BACKUP_RETENTION or BACKUP_RETENTION_DAYS.',
      )
      .argument('[job]', 'only backups of this job')
      .option('--retention <text>', 'instead: 24h,7d,4w,12m,1y (hours, days, weeks, months, years) or last=5')
      .option('-n, --dry-run', 'show what would be deleted, and delete nothing')
      .option('--force', 'delete although so many at once, or a backup that shrank, speak against it')
      .option('-y, --yes', 'do not ask'),
  )
    .action(run<PruneCommandOptions>(async () => (await import('../commands/prune.js')).pruneCommand))
    .addHelpText('after', example('holdfast prune --from ./backups --retention 7d,4w,12m --dry-run'))
}

/** Declares `holdfast pin` and `holdfast unpin`. */
export function declarePin(program: Command, run: RunCommand): void {
  lookingForBackups(
    program
      .command('pin')
      .summary('keep a backup, whatever retention says')
      .description('Keeps a backup from being deleted by retention, until it is unpinned.')
      .argument('<backup>', selectorText),
  )
    .action(run<FromOptions>(async () => (await import('../commands/pin.js')).pinCommand))
    .addHelpText('after', example('holdfast pin latest --from ./backups'))

  lookingForBackups(
    program
      .command('unpin')
      .summary('leave a backup to retention again')
      .description('Leaves a pinned backup to retention again.')
      .argument('<backup>', selectorText),
  )
    .action(run<FromOptions>(async () => (await import('../commands/pin.js')).unpinCommand))
    .addHelpText('after', example('holdfast unpin 5f3a --from ./backups'))
}
