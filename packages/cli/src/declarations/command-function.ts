import type { Cli } from '../cli.js'
import type { ExitCode } from '../exit-codes.js'

/** A command: arguments as given, options as declared. */
export type CommandFunction<Options> = (cli: Cli, args: readonly string[], options: Options) => Promise<ExitCode>

/** Makes the action of a command out of what loads it: nothing that a command needs is loaded before it runs. */
export type RunCommand = <Options>(
  load: () => Promise<CommandFunction<Options>>,
) => (...given: readonly unknown[]) => Promise<void>
