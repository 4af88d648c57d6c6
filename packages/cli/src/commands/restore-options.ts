import type { Duration, RestoreWay } from '@holdfast/core'
import type { FromOptions, SafetyOption } from '../configuration/open-backups.js'

/** Options of `holdfast restore`. */
export interface RestoreCommandOptions extends FromOptions, SafetyOption {
  readonly into?: string
  readonly intoFile?: string
  readonly mode?: RestoreWay
  readonly staged?: boolean
  readonly clean?: boolean
  /** The same as `replace`. */
  readonly drop?: boolean
  readonly replace?: boolean
  readonly append?: boolean
  readonly keepOld?: Duration | false
  /** SQL that must hold. */
  readonly assert?: readonly string[]
  readonly dryRun?: boolean
  readonly tables?: readonly string[]
  readonly schemaOnly?: boolean
  readonly dataOnly?: boolean
  readonly jobs?: number
  readonly terminate?: boolean
  /** `--no-owner` makes it `false`. */
  readonly owner?: boolean
  /** `--no-privileges` makes it `false`. */
  readonly privileges?: boolean
  readonly globals?: boolean
  readonly binDir?: string
  readonly yes?: boolean
}

/** Options of `holdfast restore undo` and `holdfast restore cleanup`. */
export interface AsideCommandOptions {
  /** URL of a database, or name of a job. */
  readonly into?: string
  readonly intoFile?: string
  readonly terminate?: boolean
  readonly keepOld?: Duration | false
  readonly all?: boolean
  readonly binDir?: string
  readonly yes?: boolean
}
