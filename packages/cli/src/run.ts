import { CommanderError } from 'commander'
import type { Cli } from './cli.js'
import type { CommandFunction } from './declarations/command-function.js'
import { type ExitCode, exitCodeFor, exitCodes } from './exit-codes.js'
import { noPaint } from './output/colours.js'
import { asBackupError, codeOf, describeError, errorDocument } from './output/errors.js'
import { createOutput, type GlobalOptions } from './output/output.js'
import { passwordsIn, wordsIn } from './output/scrub.js'
import { buildProgram } from './program.js'
import type { World } from './world.js'

/**
 * Runs one command line to its end. Nothing is thrown: whatever fails is reported and becomes the exit code.
 *
 * @param argv - Without the program's own name.
 */
export async function run(argv: readonly string[], world: World): Promise<ExitCode> {
  let result: ExitCode = exitCodes.done
  const start = async <Options>(
    command: string,
    load: () => Promise<CommandFunction<Options>>,
    args: readonly string[],
    options: Options,
    globals: GlobalOptions,
  ): Promise<void> => {
    result = await runCommand(command, load, args, options, globals, world, argv)
  }
  try {
    await buildProgram(world, start).parseAsync([...argv], { from: 'user' })
    return result
  } catch (error) {
    if (error instanceof CommanderError) return usageExitCode(error, argv, world)
    throw error
  }
}

async function runCommand<Options>(
  command: string,
  load: () => Promise<CommandFunction<Options>>,
  args: readonly string[],
  options: Options,
  globals: GlobalOptions,
  world: World,
  argv: readonly string[],
): Promise<ExitCode> {
  const output = createOutput(world, globals)
  for (const text of [...argv, ...Object.values(world.env)]) {
    const passwords = passwordsIn(text ?? '')
    passwords.forEach(output.hide)
    if (passwords.length > 0) wordsIn(text ?? '').forEach(output.spare)
  }
  for (const name of [world.env.PGUSER, world.env.PGDATABASE]) if (name) output.spare(name)
  const controller = new AbortController()
  const stopListening = world.onInterrupt(() => {
    if (controller.signal.aborted) return world.exit(exitCodes.interrupted)
    output.warn('Interrupted; stopping cleanly. Interrupt again to stop at once.')
    controller.abort(new Error('Interrupted'))
  })
  const cli: Cli = { command, world, options: globals, output, signal: controller.signal }
  try {
    const { secretsIn } = await import('./configuration/environment-variables.js')
    for (const secret of secretsIn(world.env)) output.hide(secret)
    return await (await load())(cli, args, options)
  } catch (error) {
    return reportFailure(error, cli)
  } finally {
    stopListening()
  }
}

function reportFailure(error: unknown, { command, output, signal }: Cli): ExitCode {
  output.live(undefined)
  if (signal.aborted) {
    const message = ['Interrupted.', leftBy[command]].filter(Boolean).join(' ')
    const other = asBackupError(error)
    output.document({ error: { code: 'aborted', message } })
    output.error(`${output.errorPaint.bad('Error:')} ${message}`)
    if (other && other.code !== 'aborted') output.debug(describeError(error, noPaint, true))
    return exitCodes.interrupted
  }
  output.document(errorDocument(error))
  output.error(describeError(error, output.errorPaint, output.verbose))
  return exitCodeFor(command, codeOf(error))
}

/** What an interruption leaves, where a command changes anything. */
const leftBy: Readonly<Record<string, string>> = {
  backup: 'The backup that was running does not count; what was written of it is removed, now or by a later run.',
  copy: 'The copy that was running does not count; what was written of it is removed, now or by a later run.',
  restore: 'The restore was taken back, unless a message above says otherwise.',
  download: 'The file that was being written was not kept.',
}

/** The parser has said on standard error what is wrong; help and version are no errors. */
function usageExitCode(error: CommanderError, argv: readonly string[], world: World): ExitCode {
  if (error.exitCode === 0) return exitCodes.done
  if (argv.includes('--json')) {
    const [what, ...rest] = error.message.replace(/^error: /, '').split('\n')
    const message = error.code === 'commander.help' ? 'No command was given' : what
    const hint = [...rest, 'Run the command with --help to see what it takes.'].join(' ')
    createOutput(world, { json: true }).document({ error: { code: 'config-invalid', message, hint } })
  }
  return exitCodes.configuration
}
