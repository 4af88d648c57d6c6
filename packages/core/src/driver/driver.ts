import type { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { Inventory, Manifest, ManifestPart } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import type { ChildOutput } from './child-output.js'

/**
 * The adapter for one database engine, bound to one database.
 *
 * Few methods; an optional one means "can also", and a method that is present works.
 * Every method rethrows `ctx.signal.reason` on abort, after the children it started are gone.
 */
export interface Driver {
  /** Name of the engine as stored in manifests (`postgres`, `mysql`, `sqlite`). Never renamed. */
  readonly engine: string
  /** What may be shown of the database: host, port and name, never a password. */
  readonly display: string
  /** Name of the database, for names and records. */
  readonly database: string
  /** How many parts of a dump may be open at once. Default 1; more means a parallel dump. */
  readonly maxOpenParts?: number
  /** What {@link DumpRequest.format} may name. Absent: not said beforehand; `dump` refuses what it does not know. */
  readonly formats?: readonly string[]
  /**
   * What keeps it from reaching its database: a setting that this host lacks. Every method that needs the database
   * throws it; see {@link withoutDatabase}.
   */
  readonly unusable?: BackupError

  /**
   * Asks the server about itself, the database and what the user may read. Changes nothing.
   *
   * @throws {BackupError} `source-unreachable` (retryable), `source-denied`.
   *   A database that does not exist is no error here: `ServerInfo.database` is then absent.
   */
  probe(ctx: RunContext): Promise<ServerInfo>

  /**
   * Prepares a dump of one consistent state. Programs start when a part is taken.
   *
   * @throws {BackupError} `tool-missing`, `tool-too-old`, `source-unreachable`, `source-denied`, `source-missing`,
   *   before anything was started.
   */
  dump(request: DumpRequest, ctx: RunContext): Promise<DumpSession>

  /**
   * Restores into this driver's database.
   *
   * The source's streams keep the law: damage shows as a stream that throws. The driver then kills its client without
   * closing the client's input, and leaves the target as it was (`create`: dropped if this call made it;
   * otherwise: the transaction is rolled back).
   *
   * @throws {BackupError} `restore-refused` before anything was touched, `target-not-empty`, `target-in-use`,
   *   `restore-failed`.
   */
  restore(from: RestoreSource, request: RestoreRequest, ctx: RunContext): Promise<RestoreReport>

  /**
   * Looks for what would keep a restore from working, before anything is touched: what the dump needs and the server
   * lacks, programs, space, rights. Changes nothing.
   *
   * @param request - With mode `staged`: of a restore into a scratch that is to take the database's place.
   */
  preflight?(from: RestoreSource, request: PreflightRequest, ctx: RunContext): Promise<PreflightFindings>

  /** Names the objects in a dump without a server. Its presence enables the restore of chosen tables. */
  contents?(from: RestoreSource, ctx: RunContext): Promise<readonly ObjectName[]>

  /**
   * Whether a name in {@link RestoreRequest.tables} means an object of a dump. Absent: it means a table or a sequence of
   * exactly that name, with or without the schema.
   */
  isChosen?(table: string, object: ObjectName): boolean

  /**
   * Reads a dump to its end with the engine's own tool, without a server, and throws `corrupt` where the tool finds
   * that the dump is not whole. Guards against a dump program that exited 0 too early.
   */
  check?(part: PartFormat, body: ByteStream, ctx: RunContext): Promise<void>

  /**
   * Makes an empty database beside this one. Its presence enables test restores, and staged restores where the
   * scratch can be swapped in.
   *
   * @throws {BackupError} `restore-refused`; with `options.toSwap` also `target-in-use` and whatever else would keep
   *   the swap from working in the end, before the hours of filling.
   */
  scratch?(options: ScratchOptions, ctx: RunContext): Promise<ScratchDatabase>

  /** What staged restores have left beside this database, newest first. Present where a scratch can be swapped in. */
  asides?(ctx: RunContext): Promise<readonly AsideDatabase[]>

  /**
   * Reads a dump, without a server, into one fingerprint for each thing it holds. Two dumps of equal databases with
   * the same options have equal sections: that is the proof of a restore.
   */
  sections?(
    part: PartFormat,
    body: ByteStream,
    ctx: RunContext,
    options?: SectionOptions,
  ): Promise<readonly DumpSection[]>

  /**
   * The rows of one section of a dump, as they stand in it: to name the first one that differs, and to compare rows
   * that stand in another order. None of a section that has no rows that could be told apart.
   */
  rows?(part: PartFormat, body: ByteStream, section: string, ctx: RunContext): AsyncIterable<Uint8Array>

  /** Runs one statement and returns its rows: what a user asserts about a restored database. */
  query?(statement: string, ctx: RunContext): Promise<readonly Readonly<Record<string, unknown>>[]>

  /**
   * The client programs that a whole dump of this database, or a restore on its server, would start. Starts none of
   * them. Present where there are any.
   *
   * @throws {BackupError} `tool-missing`, `tool-too-old`; what `probe` throws.
   */
  programs?(use: 'dump' | 'restore', ctx: RunContext): Promise<readonly ClientProgram[]>
}

/** A client program that is installed, and was chosen for a server. */
export interface ClientProgram {
  /** As it is called: `pg_dump`, `mariadb`. */
  readonly name: string
  /** As it says it, for example `15.20 (Debian 15.20-0+deb12u1)`. */
  readonly version: string
  readonly path: string
  /** Why another would be better. */
  readonly warning?: string
}

/** How {@link Driver.sections} compares. */
export interface SectionOptions {
  /**
   * Names of sections of rows whose fingerprints are not to depend on the order of rows and columns, where that can be
   * told: asked for those that differ at first sight.
   */
  readonly unordered?: ReadonlySet<string>
}

/** What the bytes of a part are. */
export type PartFormat = Pick<ManifestPart, 'name' | 'mediaType' | 'trailer'>

/** For what a scratch database is made. */
export interface ScratchOptions {
  /** The backup that will be restored into it: its encoding, locale and owner, where the engine has such a thing. */
  readonly manifest: Manifest
  /** Whether it is to take the place of the driver's database in the end. */
  readonly toSwap: boolean
  /** For a swap: whether other connections will be ended. Without it, those that are there now refuse the scratch. */
  readonly terminateConnections?: boolean
  /** Do not give the scratch the owner that the manifest names. */
  readonly noOwner?: boolean
  /** Where there is no database to take the place of: do not give it the grants that the manifest names. */
  readonly noPrivileges?: boolean
}

/** Something that a staged restore left beside a database. */
export interface AsideDatabase {
  readonly name: string
  /** `replaced`: what was there before a restore. `unfinished`: the scratch of a restore that was killed. */
  readonly kind: 'replaced' | 'unfinished'
  /** When it was put aside, or begun. */
  readonly since: Date
  /** Of a `replaced` one: what {@link SwapOptions.keepUntil} said when it was put aside, where the driver notes it. */
  readonly keepUntil?: Date
  /** Bytes on the server's disk. */
  readonly sizeBytes: number
  /** Of a `replaced` one: takes its place again; what is there now is put aside in its turn. */
  takeBack?(options: SwapOptions, ctx: RunContext): Promise<Replaced>
  drop(ctx: RunContext): Promise<void>
}

/** How one database takes the place of another. */
export interface SwapOptions {
  /** Whether to end other connections; without it, `target-in-use` where they are in the way. */
  readonly terminateConnections: boolean
  /** Until when what is replaced is meant to be kept: to be noted with it, by drivers that can. */
  readonly keepUntil?: Date
}

/** What became of a database whose place another one took. */
export interface Replaced {
  /** What it is called now. Absent when there was none of that name. */
  readonly oldName?: string
  /** {@link SwapOptions.keepUntil}, where it was noted with the old one. */
  readonly keepUntil?: Date
}

/** The fingerprint of one thing in a dump. */
export interface DumpSection {
  /** Unique within the dump, for people: `table public.orders`, `rows of public.orders`, `index public.orders_pkey`. */
  readonly name: string
  /** `placement`: who owns a thing, who may use it, where it lies. That depends on the server too. */
  readonly kind: 'schema' | 'placement' | 'rows'
  /** SHA-256, 64 hexadecimal digits, without what differs between two dumps of equal databases. */
  readonly sha256: string
  /** Of the rows of a table: its columns, in order. A row then holds their values with a tab between two. */
  readonly columns?: readonly string[]
}

/** What {@link Driver.probe} found. */
export interface ServerInfo {
  /** As the server says it, for example `15.18 (Debian 15.18-0+deb12u1)`. */
  readonly version: string
  /** Whether the user may do anything on this server. */
  readonly superuser: boolean
  /** Absent when the server has no database of that name. */
  readonly database?: DatabaseInfo
}

/** The database as {@link Driver.probe} found it. */
export interface DatabaseInfo {
  /** Bytes on the server's disk; an estimate of the dump's size for progress. */
  readonly sizeBytes: number
  /** As the engine names it, for example `UTF8`. */
  readonly encoding: string
  /** Number of user tables (partitions and materialised views included). */
  readonly tables: number
  /** Whether it holds no object that a user made. */
  readonly empty: boolean
  /** Installed extensions, by name. */
  readonly extensions: readonly string[]
  /** Objects that the user may not read, by qualified name: a dump would fail or lack them. */
  readonly unreadable: readonly string[]
  /** Connections to the database other than this probe's. */
  readonly connections: number
}

/** Which sections of a database to dump or restore. */
export type Sections = 'all' | 'schema' | 'data'

/** What to dump. Everything optional means the whole database with the driver's own options. */
export interface DumpRequest {
  readonly sections?: Sections
  /** Only these tables, in the engine's own pattern language (PostgreSQL: `schema.table`, `*` and `?`). */
  readonly tables?: readonly string[]
  readonly excludeTables?: readonly string[]
  /** A format that the driver knows (PostgreSQL: `custom`, `plain`). */
  readonly format?: string
  /** Whether a warning of the dump program fails the dump. Default `complete`. */
  readonly onWarning?: 'complete' | 'fail'
  /** How much to record of what is dumped. Default `none`. */
  readonly inventory?: InventoryLevel
}

/** `counts`: rows of each table. `checksums`: and a hash over them. */
export type InventoryLevel = 'none' | 'counts' | 'checksums'

/**
 * A dump under way. Disposing of it ends what still runs and removes what was set up, whatever happened.
 */
export interface DumpSession extends AsyncDisposable {
  /** The parts, in order. A part is taken before the next is asked for, up to `maxOpenParts`. */
  readonly parts: AsyncIterable<DumpPart>
  /**
   * Settles when every part has been dumped: resolves if every program exited cleanly and its messages passed the
   * policy. The engine awaits it before it commits anything.
   */
  readonly done: Promise<DumpReport>
  /** What exactly the dumped state holds. Present unless the request said `none`; awaited after the parts. */
  inventory?(): Promise<Inventory>
}

/** One stream of a dump: most dumps are one part. */
export interface DumpPart {
  /**
   * The end of the part's key, and its name in the manifest: `dump`, `sql`, `globals.sql`. Lower-case letters,
   * digits, `.` and `-`.
   */
  readonly name: string
  /** What the plain bytes are, for example `application/vnd.postgresql.custom-dump`. */
  readonly mediaType: string
  /**
   * Text that stands within the last 512 bytes of a whole dump. Checked where plain bytes pass through this process,
   * else at the first verification.
   */
  readonly trailer?: string
  /** Bytes of plain data expected, for progress. */
  readonly expectedBytes?: number
  /** Starts the part. Called once. */
  take():
    | { readonly kind: 'stream'; readonly body: ByteStream }
    | { readonly kind: 'process'; readonly output: ChildOutput }
}

/** What a finished dump has to say for the manifest. */
export interface DumpReport {
  /** Version of the server. */
  readonly serverVersion: string
  /** Versions of the programs used, by name. */
  readonly tools: Readonly<Record<string, string>>
  /** Lines that the programs warned with. */
  readonly warnings: readonly string[]
  /** The options in force, for the manifest. JSON values, no secrets. */
  readonly options: Readonly<Record<string, unknown>>
  /** Shell line that reads the plain bytes of the main part from its input and restores them, for `recover`. */
  readonly recover: string
}

/** A backup, open for reading. */
export interface RestoreSource {
  readonly manifest: Manifest
  readonly parts: readonly ManifestPart[]
  /**
   * Whether somebody has named a file to restore, rather than a backup on a storage: nobody knows then who has made it,
   * and what it holds deserves more warnings.
   */
  readonly fromFile?: boolean
  /**
   * The plain bytes of a part. Keeps the law: hashes and sizes are checked before the stream ends, so damage is a
   * stream that throws `corrupt`. May be called again to read again.
   */
  open(part: string, ctx: RunContext): ByteStream
}

/**
 * What to do with what is in the target. (`staged` and `replace` are the engine's: `create` into a scratch, and a swap.)
 * - `create`: the database is made if it does not exist; if it exists it must be empty. Dropped on failure if made here.
 * - `clean`: in place: objects of the dump are dropped and made again, in one transaction.
 * - `append`: in place: objects that are missing are made, rows are added, nothing is dropped, in one transaction.
 */
export type RestoreMode = 'create' | 'clean' | 'append'

/** What to restore, and how. */
export interface RestoreRequest {
  readonly mode: RestoreMode
  readonly sections?: Sections
  /** Only these tables (`schema.table` or `table`), with their indexes, constraints, sequences and triggers. */
  readonly tables?: readonly string[]
  /**
   * Restore with this many connections, from a file spooled first. Default: 1, streamed. A restore over connections that
   * can use no more than one (in place, from a plain dump, into MySQL or SQLite) warns of it.
   */
  readonly jobs?: number
  /** Whether to end other connections to the target. Default `false`: `target-in-use` where they are in the way. */
  readonly terminateConnections?: boolean
  /** Do not restore owners; everything belongs to the connecting user. */
  readonly noOwner?: boolean
  /** Do not restore grants. */
  readonly noPrivileges?: boolean
  /** Restore the roles and globals part too, where the backup has one. */
  readonly globals?: boolean
}

/** A {@link RestoreRequest}, or one for a scratch that is to take the database's place. */
export interface PreflightRequest extends Omit<RestoreRequest, 'mode'> {
  readonly mode: RestoreMode | 'staged'
}

/** What {@link Driver.preflight} found. */
export interface PreflightFindings {
  /** What keeps the restore from working, each with what to do about it. */
  readonly problems: readonly PreflightProblem[]
  /** What is worth knowing before. */
  readonly warnings: readonly string[]
}

/** Something that keeps a restore from working. */
export interface PreflightProblem {
  readonly message: string
  readonly hint?: string
}

/** What a restore did. */
export interface RestoreReport {
  /** Whether the target database was made by this restore. */
  readonly created: boolean
  readonly warnings: readonly string[]
  /** Versions of the programs used, by name. */
  readonly tools: Readonly<Record<string, string>>
}

/** An object in a dump, as the engine names it. */
export interface ObjectName {
  /** `table`, `view`, `index`, … in lower case. */
  readonly kind: string
  readonly schema?: string
  readonly name: string
}

/**
 * An empty database beside the driver's own, for test restores and staged restores. It is called
 * `<database>__holdfast_<id>`, and what it replaces `<database>__before_<id>`, cut to the engine's limit; `id` is the
 * time at which it was begun or put aside, as eight hexadecimal digits of Unix seconds (on a clash the next that is
 * free), so that what was left behind can be dated. Disposing drops it, unless it was swapped in.
 */
export interface ScratchDatabase extends AsyncDisposable {
  /** Bound to the scratch database. */
  readonly driver: Driver
  /** Puts the scratch in the place of the driver's database; the old one, if there is one, stays under the name returned. */
  swap?(options: SwapOptions, ctx: RunContext): Promise<Replaced>
}
