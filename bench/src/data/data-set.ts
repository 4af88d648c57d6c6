import type { Random } from '#bench/data/random'

/** A table and how its rows are made. */
export interface Table {
  readonly name: string
  /** Columns of CREATE TABLE. */
  readonly columns: string
  /** Run once the rows are in: keys and indexes, as `pg_restore` makes them too. */
  readonly afterwards: readonly string[]
  /** Rows in a dump of about 100 MB. */
  readonly rowsPer100MB: number
  /** A row in COPY's text format, with its newline; `id` counts from 1. */
  row(id: number, random: Random): string
}

/** Data of one kind, in any size. */
export interface DataSet {
  readonly name: string
  /** What is in it, for the report. */
  readonly about: string
  /** Changed whenever the rows change, so that kept databases are made anew. */
  readonly version: number
  readonly tables: readonly Table[]
}
