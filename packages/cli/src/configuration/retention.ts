import { BackupError, type JobConfig, maxAge, messageOf, parseRetention, type RetentionStrategy } from '@holdfast/core'
import { environmentVariables as known, type ReadVariable } from './environment-variables.js'

/**
 * Which backups stay, by the command line or the environment; `undefined` where neither says, and the configuration
 * does.
 *
 * @throws {BackupError} `config-invalid`, naming the option or variable.
 */
export function retentionFrom(option: string | undefined, read: ReadVariable): RetentionStrategy | undefined {
  if (option !== undefined) return readAs('--retention', option, parseRetention)
  const text = read(known.retention)
  const days = read(known.retentionDays)
  if (text !== undefined && days !== undefined) {
    throw new BackupError('config-invalid', {
      message: 'BACKUP_RETENTION and BACKUP_RETENTION_DAYS are both set',
      hint: 'Keep one of them: BACKUP_RETENTION=7d,4w keeps one a day and one a week, BACKUP_RETENTION_DAYS=30 all of a month.',
    })
  }
  if (days !== undefined) return readAs('BACKUP_RETENTION_DAYS', days, daysOf)
  return text === undefined ? undefined : readAs('BACKUP_RETENTION', text, parseRetention)
}

/**
 * The retention of a job, for those of its own storages that were chosen: what lies at another place, which a command
 * line names, was not thought of when it was set up.
 */
export function retentionOn(
  chosen: readonly string[],
  { retention, storages }: JobConfig,
): Pick<JobConfig, 'retention'> {
  if (!retention) return {}
  const own = storages
    .map((each) => (typeof each === 'string' ? each : each.name))
    .filter((name) => chosen.includes(name))
  const strategyOn = (name: string): RetentionStrategy | undefined =>
    typeof retention.decide === 'function'
      ? (retention as RetentionStrategy)
      : (retention as Readonly<Record<string, RetentionStrategy>>)[name]
  const entries = own.map((name) => [name, strategyOn(name)] as const)
  return {
    retention: Object.fromEntries(
      entries.filter((entry): entry is [string, RetentionStrategy] => entry[1] !== undefined),
    ),
  }
}

function daysOf(text: string): RetentionStrategy {
  if (/^[1-9]\d{0,5}$/.test(text.trim())) return maxAge(`${Number(text)}d`)
  throw new BackupError('config-invalid', {
    message: `${JSON.stringify(text)} is no number of days`,
    hint: 'Write a whole number from 1, for example 30.',
  })
}

function readAs(name: string, text: string, parse: (text: string) => RetentionStrategy): RetentionStrategy {
  try {
    return parse(text)
  } catch (error) {
    const hint = error instanceof BackupError ? error.hint : undefined
    throw new BackupError('config-invalid', { message: `${name}: ${messageOf(error)}`, hint, cause: error })
  }
}
