import { quoteIdentifier, quoteLiteral } from './quoting.js'

/**
 * What a database that a restore left bears as its comment. Its name alone proves nothing: anybody may have made one
 * of that name, and names of two databases that are cut to what fits look the same.
 */
export interface AsideMark {
  /** The database that it belongs to. */
  readonly beside: string
  /** Its comment before it was replaced. */
  readonly comment?: string | undefined
  /** Until when it is meant to be kept. */
  readonly keepUntil?: Date | undefined
}

const words = 'Left by a restore of Holdfast: '

/** The mark in a comment; `undefined` for any other comment. */
export function readMark(comment: string | null): AsideMark | undefined {
  if (!comment?.startsWith(words)) return undefined
  try {
    const { beside, comment: before, keepUntil } = JSON.parse(comment.slice(words.length)) as Record<string, unknown>
    if (typeof beside !== 'string') return undefined
    const until = typeof keepUntil === 'string' ? new Date(keepUntil) : undefined
    return {
      beside,
      ...(typeof before === 'string' && { comment: before }),
      ...(until && !Number.isNaN(until.getTime()) && { keepUntil: until }),
    }
  } catch {
    return undefined // somebody's own words
  }
}

/** The statement that marks a database. */
export const markStatement = (database: string, mark: AsideMark): string =>
  commentStatement(database, words + JSON.stringify(mark))

/** The statement that gives a database a comment, or takes it away. */
export function commentStatement(database: string, comment: string | undefined): string {
  return `comment on database ${quoteIdentifier(database)} is ${comment === undefined ? 'null' : quoteLiteral(comment)}`
}
