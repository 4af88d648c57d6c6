import { BackupError } from '../backup-error.js'
import { keep } from './keep.js'
import type { RetentionStrategy } from './retention-strategy.js'

const tiers = { h: 'hourly', d: 'daily', w: 'weekly', m: 'monthly', y: 'yearly' } as const

/**
 * Reads a retention as text: `24h,7d,4w,12m,0y` (hours, days, weeks, months, years), `last=5`, or both.
 *
 * @throws {BackupError} `config-invalid`.
 */
export function parseRetention(text: string): RetentionStrategy {
  const options: Partial<Record<(typeof tiers)[keyof typeof tiers] | 'last', number>> = {}
  for (const word of text.split(',').map((each) => each.trim())) {
    const { last, count, unit } =
      /^(?:last=(?<last>\d{1,6})|(?<count>\d{1,6})(?<unit>[hdwmy]))$/.exec(word)?.groups ?? {}
    const tier = last === undefined ? tiers[unit as keyof typeof tiers] : 'last'
    if (tier === undefined || tier in options) throw unreadable(text, word)
    options[tier] = Number(last ?? count)
  }
  return keep(options)
}

function unreadable(text: string, word: string): BackupError {
  return new BackupError('config-invalid', {
    message: `${JSON.stringify(text)} is no retention: ${word === '' ? 'a part of it is empty' : `${JSON.stringify(word)} is not understood, or stands there twice`}`,
    hint: 'Write it as 24h,7d,4w,12m,1y (hours, days, weeks, months, years) or last=5.',
  })
}
