import type { Command } from 'commander'
import type { ListCommandOptions } from '../commands/list.js'
import type { RunCommand } from './command-function.js'
import { example, lookingForBackups, selectorText } from './shared-options.js'

/** Declares `holdfast list` and `holdfast show`. */
export function declareList(program: Command, run: RunCommand): void {
  lookingForBackups(
    program
      .command('list')
      .summary('list backups')
      .description('Lists what the storages hold, newest first.')
      .argument('[job]', 'only backups of this job'),
  )
    .action(run<ListCommandOptions>(async () => (await import('../commands/list.js')).listCommand))
    .addHelpText('after', example('holdfast list --from ./backups'))

  lookingForBackups(
    program
      .command('show')
      .summary('show one backup')
      .description('Shows everything that is known of a backup, with the line that restores it without Holdfast.')
      .argument('<backup>', selectorText),
  )
    .action(run<ListCommandOptions>(async () => (await import('../commands/show.js')).showCommand))
    .addHelpText('after', example('holdfast show latest --from ./backups'))
}
