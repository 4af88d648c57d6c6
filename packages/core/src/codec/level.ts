import { BackupError } from '../backup-error.js'

/** @throws {BackupError} `config-invalid` unless `level` is a whole number from `lowest` to `highest`. */
export function levelWithin(codec: string, level: number, lowest: number, highest: number): void {
  if (Number.isInteger(level) && level >= lowest && level <= highest) return
  throw new BackupError('config-invalid', {
    message: `${codec} has no compression level ${level}`,
    hint: `Choose a whole number from ${lowest} (fast) to ${highest} (small).`,
  })
}
