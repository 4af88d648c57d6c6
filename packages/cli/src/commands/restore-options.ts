import type { RestoreMode } from '@holdfast/core'
import type { FromOptions } from '../configuration/open-backups.js'

/** Options of `holdfast restore`. */
export interface RestoreCommandOptions extends FromOptions {
  readonly into?: string
  readonly intoFile?: string
  readonly mode?: RestoreMode
  readonly clean?: boolean
  readonly drop?: boolean
  readonly append?: boolean
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
