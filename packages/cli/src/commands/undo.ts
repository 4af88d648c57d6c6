import { BackupError, type Holdfast } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { ownEntry } from '../configuration/own-entry.js'
import { isSourceUrl } from '../configuration/plugins.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { databasesOf, describeAside, jobsOf, whichOne, withoutStorages } from './asides.js'
import type { AsideCommandOptions } from './restore-options.js'
import { confirmRestore } from './restore-target.js'

/** Goes back to what a staged restore has put aside. */
export async function undoCommand(
  cli: Cli,
  [name]: readonly string[],
  options: AsideCommandOptions,
): Promise<ExitCode> {
  const { output, signal } = cli
  const { paint } = output
  await using holdfast = withoutStorages(cli)
  if (name !== undefined && options.into === undefined) await refuseMisplaced(name, holdfast, cli)
  const [driver, another] = await databasesOf(options, cli)
  if (!driver || another) throw whichOne(await jobsOf(cli))
  const replaced = (await holdfast.asides(driver, { signal })).filter(({ kind }) => kind === 'replaced')
  const chosen = name === undefined ? replaced[0] : replaced.find((aside) => aside.name === name)
  if (chosen) {
    const say = options.yes ? output.note : output.error
    say(
      `${paint.strong(describeAside(chosen))} takes the name ${driver.database} again; what is there now is put aside.`,
    )
    await confirmRestore(undefined, options, cli)
  }
  const result = await holdfast.undo(driver, {
    signal,
    ...(chosen && { name: chosen.name }),
    ...(!chosen && name !== undefined && { name }),
    ...(options.terminate && { terminateConnections: true }),
  })
  output.document({ status: 'restored', ...result })
  const stays = result.oldName === undefined ? '' : `; what was there is now ${paint.strong(result.oldName)}`
  output.result(`${result.name} is ${paint.good('back')} as ${result.target}${stays}`)
  return exitCodes.done
}

/** For whom has named a job, or a URL, where the database to take back belongs. */
async function refuseMisplaced(name: string, holdfast: Holdfast, cli: Cli): Promise<void> {
  const takes = 'restore undo takes the name of a database that a restore has put aside'
  if (isSourceUrl(name)) {
    throw new BackupError('no-match', { message: `${takes}, and this is a URL`, hint: 'Give the URL with --into.' })
  }
  const jobs = await jobsOf(cli)
  const job = ownEntry(jobs, name)
  if (!job?.source.asides) return
  const asides = await holdfast.asides(job.source, { signal: cli.signal })
  const names = asides.flatMap((aside) => (aside.kind === 'replaced' ? [aside.name] : []))
  if (names.includes(name)) return
  const there = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There is none.'
  throw new BackupError('no-match', {
    message: `${takes}, and ${JSON.stringify(name)} is a job`,
    hint: `--into ${name} takes back what was replaced last beside its database. ${there}`,
  })
}
