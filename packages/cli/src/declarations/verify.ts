import type { Command } from 'commander'
import type { VerifyCommandOptions } from '../commands/verify.js'
import type { RunCommand } from './command-function.js'
import { append } from './option-values.js'
import { example, readingBackups, selectorText } from './shared-options.js'

/** Declares `holdfast verify`. */
export function declareVerify(program: Command, run: RunCommand): void {
  readingBackups(
    program
      .command('verify')
      .summary('re-read backups and compare')
      .description(
        'Reads copies to their end and compares sizes and hashes; with --test-restore one is restored into a scratch database, which is compared with what was dumped, and dropped. Without an argument: what is due by the verify settings of the jobs, or every backup where no job has any.',
      )
      .argument('[job|backup]', `a job, for all its backups, or ${selectorText}`)
      .option('--test-restore', 'restore the backup for a test; of a job, its latest')
      .option(
        '--on <URL>',
        'make the scratch database beside this database, which is not touched (default: the source)',
      )
      .option('--on-file <file>', 'read that URL from a file')
      .option('--bin-dir <directory>', "where the engine's programs are")
      .option('--assert <SQL>', 'a statement whose one value has to be true there; may be repeated', append)
      .option('--all', 'every backup, whether it is due or not'),
  )
    .action(run<VerifyCommandOptions>(async () => (await import('../commands/verify.js')).verifyCommand))
    .addHelpText('after', example('holdfast verify latest --from ./backups --test-restore --on postgres://app@db/shop'))
}
