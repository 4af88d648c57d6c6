import { BackupError } from '../backup-error.js'

/** Spans of the calendar of which a policy keeps one backup each. */
export const periods = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const

/** One of {@link periods}. */
export type Period = (typeof periods)[number]

/** Names the period that a time falls into; two times in one period have one name. */
export type PeriodOf = (time: Date, period: Period) => string

/**
 * Reads the calendar of a time zone. A week begins on Monday (ISO 8601). The hour that a change of the clocks repeats
 * is two hours.
 *
 * @param timeZone - IANA name, for example `Europe/Paris`.
 * @throws {BackupError} `config-invalid` for a zone that is not known.
 */
export function periodsIn(timeZone: string): PeriodOf {
  const format = formatIn(timeZone)
  return (time, period) => {
    const field = Object.fromEntries(format.formatToParts(time).map(({ type, value }) => [type, value]))
    const { year = '', month = '', day = '', hour = '', timeZoneName = '' } = field
    switch (period) {
      case 'hourly':
        return `${year}-${month}-${day} ${hour} ${timeZoneName}`
      case 'daily':
        return `${year}-${month}-${day}`
      case 'weekly':
        return `week of ${mondayOf(Number(year), Number(month), Number(day))}`
      case 'monthly':
        return `${year}-${month}`
      case 'yearly':
        return year
    }
  }
}

function formatIn(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-GB-u-ca-iso8601-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      timeZoneName: 'longOffset',
    })
  } catch (error) {
    throw new BackupError('config-invalid', {
      message: `There is no time zone ${JSON.stringify(timeZone)}`,
      hint: 'Name one as the IANA does, for example Europe/Paris or UTC: as timeZone, else in the variable TZ.',
      cause: error,
    })
  }
}

/** The date of the Monday of a day's week: the days of a week share it, also where a year ends within. */
function mondayOf(year: number, month: number, day: number): string {
  const date = new Date(Date.UTC(year, month - 1, day))
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7))
  return date.toISOString().slice(0, 10)
}
