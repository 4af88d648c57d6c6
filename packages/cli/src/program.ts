import { Command, Option } from 'commander'
import { declareBackup } from './declarations/backup.js'
import type { CommandFunction, RunCommand } from './declarations/command-function.js'
import { declareDoctor } from './declarations/doctor.js'
import { declareDownload } from './declarations/download.js'
import { declareKey } from './declarations/key.js'
import { declareList } from './declarations/list.js'
import { declarePin, declarePrune } from './declarations/prune.js'
import { declareRestore } from './declarations/restore.js'
import { declareStorage } from './declarations/storage.js'
import { declareVerify } from './declarations/verify.js'
import type { GlobalOptions } from './output/output.js'
import { createScrubber } from './output/scrub.js'
import { ownVersion } from './version.js'
import type { World } from './world.js'

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
  const program: Command = new Command('holdfast')
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
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: ({ parent }): Option[] => (parent ? program.options.filter(({ hidden }) => !hidden) : []),
    })
    .showHelpAfterError('Run the command with --help to see what it takes.')

  const run: RunCommand =
    <Options>(load: () => Promise<CommandFunction<Options>>) =>
    async (...given) => {
      const command = given.at(-1) as Command
      refuseForeign(command)
      const options = optionsOf<Options & object>(command)
      await start(command.name(), load, command.args, options, program.opts<GlobalOptions>())
    }
  // In this order help lists them.
  declareBackup(program, run)
  declareList(program, run)
  declareRestore(program, run)
  declareVerify(program, run)
  declarePrune(program, run)
  declarePin(program, run)
  declareDownload(program, run)
  declareDoctor(program, run)
  declareKey(program, run)
  declareStorage(program, run)
  return program
}

/** An option of `restore` that `restore undo` does not know must not pass in silence: `--dry-run` least of all. */
function refuseForeign(command: Command): void {
  const above = command.parent
  if (!above?.parent) return
  const own = new Set(command.options.map((option) => option.attributeName()))
  const isForeign = (name: string): boolean => above.getOptionValueSource(name) === 'cli' && !own.has(name)
  const foreign = above.options.find((option) => isForeign(option.attributeName()))
  if (foreign) {
    const message = `error: option '${foreign.long}' is one of ${above.name()}, not of ${above.name()} ${command.name()}`
    command.error(message, { code: 'commander.unknownOption', exitCode: 1 })
  }
}

/** A command's own options; of a command below another, also those that the upper one has taken for its own. */
function optionsOf<Options extends object>(command: Command): Options {
  const above = command.parent
  const names = new Set(command.options.map((option) => option.attributeName()))
  const taken = Object.entries(above?.opts() ?? {}).filter(([name]) => names.has(name))
  return { ...Object.fromEntries(taken), ...command.opts<Options>() }
}
