import * as z from 'zod'
import { BackupError } from './backup-error.js'

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A span of time as a user may write it: `'90s'`, `'10m'`, `'24h'`, `'30d'`, `'500ms'`, or a number of milliseconds. */
export type Duration = number | `${number}${keyof typeof units}`

/** Reads a {@link Duration} into milliseconds; `undefined` if it is not one. */
export function parseDuration(value: string): number | undefined {
  const found = /^(?<count>\d+(?:\.\d+)?)(?<unit>ms|s|m|h|d)$/.exec(value)?.groups
  return found ? Number(found.count) * units[found.unit as keyof typeof units] : undefined
}

/** Schema of a {@link Duration}; its output is milliseconds. */
export const durationValue: z.ZodType<number, Duration> = z
  .union([z.number().positive(), z.string()])
  .transform((value, context): number => {
    const ms = typeof value === 'number' ? value : parseDuration(value)
    if (ms !== undefined && ms > 0) return ms
    context.addIssue({ code: 'custom', message: 'must be a span of time such as "90s", "10m", "24h" or "30d"' })
    return z.NEVER
  }) as z.ZodType<number, Duration>

/**
 * Milliseconds of a {@link Duration} that a caller gave.
 *
 * @throws {BackupError} `config-invalid`.
 */
export function durationMs(value: Duration, what: string): number {
  const parsed = durationValue.safeParse(value)
  if (parsed.success) return parsed.data
  throw new BackupError('config-invalid', {
    message: `${what} is ${JSON.stringify(value)}; it must be a span of time such as "90s", "10m", "24h" or "30d"`,
  })
}
