import type { Command } from 'commander'
import type { DoctorCommandOptions } from '../commands/doctor.js'
import type { RunCommand } from './command-function.js'
import { append } from './option-values.js'
import { example, fromOption } from './shared-options.js'

/** Declares `holdfast doctor`. */
export function declareDoctor(program: Command, run: RunCommand): void {
  program
    .command('doctor')
    .summary('check that everything is in place')
    .description('Checks programs, databases, storages and the last backups, and says what to do about each finding.')
    .argument('[job|URL]', 'only this job, or the database of a URL')
    .option('--to <storage>', 'a storage to look at, made if it is not there; may be repeated', append)
    .addOption(fromOption())
    .option('--bin-dir <directory>', "where the engine's programs are")
    .action(run<DoctorCommandOptions>(async () => (await import('../commands/doctor.js')).doctorCommand))
    .addHelpText('after', example('holdfast doctor postgres://app@db/shop --to ./backups'))
}
