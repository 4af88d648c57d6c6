import type { GlobalOptions, Output } from './output/output.js'
import type { World } from './world.js'

/** What every command receives. */
export interface Cli {
  /** Name of the command, for its exit code. */
  readonly command: string
  readonly world: World
  readonly options: GlobalOptions
  readonly output: Output
  /** Aborts on the first Ctrl-C. */
  readonly signal: AbortSignal
}
