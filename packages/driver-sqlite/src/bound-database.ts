/** A database file, and how to work with it. */
export interface BoundDatabase {
  /** Absolute. */
  readonly path: string
  readonly tempDir?: string | undefined
  /** Milliseconds that a restore waits for other programs. */
  readonly patienceMs: number
  /** The database that it is a scratch of: then nobody else can have it open. */
  readonly scratchOf?: string
}
