import { BackupError } from '@holdfast/core'
import { readingsOf } from './statement-readings.js'
import { withoutVersions } from './statement-subject.js'

/**
 * The character set in which the server reads what the client sends, as far as a dump has come. In a few of them the
 * second byte of a character can look like a backslash or a backtick, and with it a quote would end elsewhere for the
 * server than for who looked at the dump: https://dev.mysql.com/doc/refman/8.4/en/charset-asian-sets.html
 */
export interface ClientCharset {
  /**
   * Follows a statement that sets it.
   *
   * @returns The statement to pass on: with a value in the place of a variable, to which any row of the dump can assign
   *   another one. `undefined` for what is not understood.
   */
  follow(sql: string): string | undefined
  /** @throws {BackupError} `restore-refused` for bytes of which it cannot be told where quotes end. */
  requireClear(bytes: Uint8Array): void
}

/** The client is started with it. */
const initial = 'utf8mb4'
/** Characters of one byte, or of several without a backslash or a backtick among them. Any other is taken to be unsafe. */
const isPlain =
  /^(?:utf8(?:mb[34])?|binary|ascii|latin[1257]|cp(?:1250|1251|1256|1257|850|852|866)|koi8[ru]|ujis|eucjpms|euckr|gb2312)$/

/** Whatever stands between the words; not the other settings whose names begin like that of the client. */
const concerned = /names|char(?!acter_set_(?!client))/i
const saves = /^SET\s+@(\w+)\s*=\s*@@(?:session\.)?character_set_client$/i
const sets =
  /^SET\s+(?:(?:(?:SESSION\s+|@@session\.|@@)?character_set_client\s*=|NAMES\s|CHARACTER\s+SET\s|CHARSET\s)\s*(?:(\w+)|'(\w+)'|"(\w+)")(?:\s+COLLATE\s+['"]?\w+['"]?)?|character_set_client\s*=\s*@(\w+))$/i

/** Begins with the character set of the client. */
export function followCharset(): ClientCharset {
  const saved = new Map<string, string>()
  let charset = initial
  let before = 0

  return {
    follow(sql) {
      const statement = withoutVersions(sql).trim()
      if (!/^SET\b/i.test(statement) || !concerned.test(sql)) return sql
      if (readingsOf(sql)?.size !== 1) return undefined // some servers do it, others do not
      const name = saves.exec(statement)?.[1]
      if (name !== undefined) {
        saved.set(name.toLowerCase(), charset)
        return sql
      }
      const [, word, single, double, variable] = sets.exec(statement) ?? []
      const value = word ?? single ?? double ?? saved.get(variable?.toLowerCase() ?? '')
      if (value === undefined) return undefined
      charset = value.toLowerCase()
      return variable === undefined ? sql : `SET character_set_client = ${charset}`
    },
    requireClear(bytes) {
      if (isPlain.test(charset)) return
      for (const byte of bytes) {
        if (before > 0x80 && (byte === backslash || byte === backtick)) throw unclear(charset)
        before = byte
      }
    },
  }
}

const [backslash, backtick] = [0x5c, 0x60]

function unclear(charset: string): BackupError {
  return new BackupError('restore-refused', {
    message: `The dump holds characters of ${charset} of which a part looks like a backslash or a backtick`,
    hint: 'Where its texts end is not certain, and one could hide statements. If you trust the dump, restore it by hand as its manifest says.',
  })
}
