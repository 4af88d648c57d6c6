import { BackupError } from '../backup-error.js'
import type { ByteStream } from '../byte-stream.js'
import type { Cipher } from '../cipher/cipher.js'
import type { RestoreSource } from '../driver/driver.js'
import { formatVersion, type Manifest, type ManifestPart } from '../layout/manifest.js'
import type { RunContext } from '../run-context.js'
import { meter } from '../stream/meter.js'
import { uuidV7 } from '../uuid-v7.js'
import { holdfastVersion } from '../version.js'
import { type DumpFacts, postgresArchive, sqliteDatabase } from './dump-facts.js'
import type { DumpFile } from './dump-file.js'
import { strangerOf, type Wrapping } from './recognise.js'
import { type Replayable, replayable } from './replay.js'
import { sqlDumpOf } from './sql-dump.js'
import { unwrap } from './unwrap.js'

/** A dump that Holdfast did not make, open for reading. Disposing lets go of its file. */
export interface OpenedDump extends AsyncDisposable {
  /** With a manifest made up from what the dump says of itself. */
  readonly source: RestoreSource
  /** What it is wrapped in, from outside in. */
  readonly wrappings: readonly Wrapping[]
  /** Reads it to its end, as far as it can be read again; throws `corrupt` for damage that its wrapping or its end shows. */
  readThrough(ctx: RunContext): Promise<void>
}

/**
 * Opens a dump that any program made. What it is, and what it is compressed and encrypted with, is told by its
 * content, never by its name: the custom format of pg_dump, plain dumps of pg_dump, mysqldump and mariadb-dump,
 * SQLite databases; gzip, zstd (of several frames too), age and OpenPGP around them, in any order.
 *
 * @param options.ciphers - What may decrypt it, with keys that read.
 * @throws {BackupError} `restore-refused` for what is no such dump; `wrong-key`; what the file throws.
 */
export async function openDump(
  file: DumpFile,
  { ciphers }: { readonly ciphers: readonly Cipher[] },
  ctx: RunContext,
): Promise<OpenedDump> {
  const input = openerOf(file, ctx)
  try {
    const { head, stream, wrappings } = await unwrap(input.open(ctx), file.display, ciphers, ctx)
    await stream.return(undefined)
    const facts = factsOf(head, file.display)
    const part = partOf(facts, file)
    const open = (given: RunContext): ByteStream => plain(part, () => input.open(given), file, ciphers, given)
    return {
      source: {
        manifest: manifestOf(facts, part, file, ctx),
        parts: [part],
        open(name, given) {
          if (name === part.name) return open(given)
          throw new BackupError('no-match', { message: `${file.display} has no part ${name}` })
        },
      },
      wrappings,
      readThrough: (given) => (file.once ? Promise.resolve() : drain(open(given))),
      [Symbol.asyncDispose]: () => input[Symbol.asyncDispose](),
    }
  } catch (error) {
    await input[Symbol.asyncDispose]()
    throw error
  }
}

interface Opener extends AsyncDisposable {
  open(ctx: RunContext): ByteStream
}

/** A file can be opened as often as one likes; of a stream, the beginning is kept. */
function openerOf(file: DumpFile, ctx: RunContext): Opener {
  if (!file.once) return { open: (given) => file.open(given), async [Symbol.asyncDispose]() {} }
  const stream: Replayable = replayable(file.open(ctx), file.display)
  return { open: () => stream.open(), [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose]() }
}

/** Ends only if the end of the dump was there, where dumps of its kind have one. */
async function* plain(
  { trailer }: ManifestPart,
  open: () => ByteStream,
  { display }: DumpFile,
  ciphers: readonly Cipher[],
  ctx: RunContext,
): AsyncGenerator<Uint8Array> {
  const { stream } = await unwrap(open(), display, ciphers, ctx)
  const dump = meter(stream, { sha256: false })
  yield* dump.stream
  if (trailer === undefined || dump.tail().includes(trailer)) return
  throw new BackupError('corrupt', {
    message: `${display} lacks its end (${JSON.stringify(trailer)}): it was cut, or the dump program stopped early`,
    hint: 'Use another copy of it, or another dump.',
  })
}

function factsOf(head: Buffer, display: string): DumpFacts {
  if (head.length === 0) {
    throw new BackupError('restore-refused', { message: `${display} is empty`, hint: 'It holds no dump.' })
  }
  if (head.subarray(0, 5).toString('latin1') === 'PGDMP') return postgresArchive
  if (head.subarray(0, 16).toString('latin1') === 'SQLite format 3\0') return sqliteDatabase
  const found = sqlDumpOf(head.toString('latin1').replace(/^\u00ef\u00bb\u00bf/, ''), display)
  if (found) return found
  const stranger = strangerOf(head)
  throw new BackupError('restore-refused', {
    message: stranger ? `${display} is ${stranger.is}` : `${display} is no dump that is known here`,
    hint:
      stranger?.hint ??
      'Known by their content are dumps of pg_dump (custom and plain), mysqldump and mariadb-dump, and SQLite databases; compressed with gzip or zstd, encrypted with age or gpg. Other SQL is run with psql or mysql by hand, if you trust it.',
  })
}

function partOf({ part }: DumpFacts, { name }: DumpFile): ManifestPart {
  return { ...part, key: name, storedBytes: 0, storedSha256: '', codec: 'none' }
}

function manifestOf(facts: DumpFacts, part: ManifestPart, { name }: DumpFile, ctx: RunContext): Manifest {
  const now = ctx.clock.now()
  const stem = name.replace(/(?:\.(?:sql|dump|backup|bak|pgdump|db|sqlite3?|gz|zst|age|gpg|asc))+$/i, '') || name
  const { database = stem } = facts
  return {
    formatVersion,
    id: uuidV7(now),
    layout: 'whole/1',
    job: database,
    type: 'manual',
    database,
    engine: facts.engine,
    serverVersion: facts.serverVersion,
    tools: facts.tools,
    options: facts.options,
    startedAt: now.toISOString(),
    endedAt: now.toISOString(),
    copies: [],
    parts: [part],
    warnings: [],
    holdfast: holdfastVersion,
    recover: facts.recover,
  }
}

async function drain(stream: ByteStream): Promise<void> {
  for await (const _ of stream);
}
