import type { Manifest, ManifestPart } from '../layout/manifest.js'

/** What a dump says of itself. */
export interface DumpFacts extends Pick<Manifest, 'engine' | 'serverVersion' | 'tools' | 'options' | 'recover'> {
  readonly part: Pick<ManifestPart, 'name' | 'mediaType' | 'trailer'>
  /** What the database was called, where the dump says so: its statements may name it. */
  readonly database?: string
}

/** A dump in the custom format of pg_dump: what it holds is read by the driver. */
export const postgresArchive: DumpFacts = {
  engine: 'postgres',
  part: { name: 'dump', mediaType: 'application/vnd.postgresql.custom-dump' },
  serverVersion: '',
  tools: {},
  options: { format: 'custom' },
  recover: 'pg_restore -d "$DATABASE"',
}

/** A database of SQLite: the file itself. */
export const sqliteDatabase: DumpFacts = {
  engine: 'sqlite',
  part: { name: 'sqlite', mediaType: 'application/vnd.sqlite3' },
  serverVersion: '',
  tools: {},
  options: {},
  recover: 'cat > "$DATABASE"',
}
