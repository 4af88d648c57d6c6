import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { type PostgresServer, startPostgres } from '../../tests/support/src/postgres-server.ts'
import { type S3Server, startS3Server } from '../../tests/support/src/s3-server.ts'
import { root } from '../lib/root.mjs'
import { compareTables, plainDumpHash } from './compare.ts'
import { type CliContext, holdfast } from './holdfast-cli.ts'
import { formatMebibytes, paragraph, step, tableOf } from './report.ts'
import { sampleShop } from './sample-shop.ts'

/** The parts of `backup --json` and `verify --json` that are shown here. */
interface BackupAnswer {
  readonly status: string
  readonly backup: { readonly shortId: string; readonly storedBytes: number; readonly plainBytes?: number }
}
interface VerifyAnswer {
  readonly status: string
}

const demo = join(root, 'data/demo')
const backups = join(demo, 'backups')
const bucket = 'holdfast-demo'

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interrupt.abort(new Error(`Interrupted by ${signal}.`)))
}
// `npm start | head` closes the pipe early. Nobody listens any more, but servers and secrets have to go all the same.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    interrupt.abort(new Error('Nobody reads the output any more.'))
  })
}
// Until there is a server to go on with, the page is not served: both ways of starting end here.
process.exitCode = await main(interrupt.signal)

async function main(signal: AbortSignal): Promise<number> {
  const secrets = mkdtempSync(join(tmpdir(), 'holdfast-demo-'))
  try {
    paragraph('Holdfast: the main job, end to end')
    rmSync(demo, { recursive: true, force: true })
    mkdirSync(demo, { recursive: true })
    await using server = await step('start a throwaway PostgreSQL', startPostgres, (it) => `127.0.0.1:${it.port}`)
    await using s3 = await step('start a throwaway S3 server', disposableS3Server, (it) => it.endpoint)
    signal.throwIfAborted()
    const equal = await backUpAndRestore(server, s3, secrets, signal)
    paragraph(equal ? goOn() : 'THE RESTORED DATABASE DIFFERS FROM ITS SOURCE. The backup is in data/demo/backups.')
    return equal ? 0 : 1
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`)
    return signal.aborted ? 130 : 1
  } finally {
    rmSync(secrets, { recursive: true, force: true })
  }
}

/** Fills a database, backs it up to disk and S3, verifies, restores; says whether both databases are equal. */
async function backUpAndRestore(
  server: PostgresServer,
  s3: S3Server,
  secrets: string,
  signal: AbortSignal,
): Promise<boolean> {
  // What it remembers of storages goes with the rest: the directory is made anew each time.
  const cli: CliContext = { cwd: demo, env: { ...environment(s3), XDG_STATE_HOME: secrets }, signal }
  const places = [backups, `s3://${bucket}/shop?endpoint=${encodeURIComponent(s3.endpoint)}&pathStyle=true`]
  const urlFile = (database: string): string => {
    const file = join(secrets, database)
    writeFileSync(file, server.url(database), { mode: 0o600 })
    return file
  }

  await step(
    'fill the database "shop" with sample data',
    () => fill(server),
    (bytes) => formatMebibytes(bytes),
  )
  signal.throwIfAborted()
  const { backup } = await step(
    'holdfast backup --to data/demo/backups --to s3://…',
    async () =>
      (await holdfast(['backup', '--url-file', urlFile('shop'), ...each('--to', places)], cli)) as BackupAnswer,
    (answer) => `${answer.status}: ${answer.backup.shortId}, ${formatMebibytes(answer.backup.storedBytes)} on each`,
  )
  await step(
    'holdfast verify (reads every stored byte of both copies)',
    async () => (await holdfast(['verify', ...each('--from', places)], cli)) as VerifyAnswer,
    (answer) => answer.status,
  )
  for (const [index, place] of places.entries()) {
    const target = restoredFrom(index)
    const args = ['restore', backup.shortId, '--from', place, '--into-file', urlFile(target), '--yes']
    await step(
      `holdfast restore into "${target}"`,
      () => holdfast(args, cli),
      () => 'restored',
    )
  }
  const results: boolean[] = []
  for (const index of places.keys()) {
    signal.throwIfAborted()
    results.push(await isEqual(server, restoredFrom(index)))
  }
  return results.every(Boolean)
}

async function fill(server: PostgresServer): Promise<number> {
  await server.createDatabase('shop')
  await server.sql('shop', sampleShop.join(';\n'))
  const [size] = await server.sql<{ bytes: string }>('shop', 'select pg_database_size(current_database()) as bytes')
  return Number(size?.bytes)
}

/** Compares a restored database with its source, table by table and by their plain dumps, and shows both. */
async function isEqual(server: PostgresServer, restored: string): Promise<boolean> {
  const tables = await step(`compare "${restored}" with "shop"`, () => compareTables(server, 'shop', restored), verdict)
  console.log(tableOf(tables))
  const dumps = await step(
    'compare the plain dumps of both (schema, rows, sequences)',
    async () => [await plainDumpHash(server, 'shop'), await plainDumpHash(server, restored)],
    ([before, after]) => (before === after ? `equal, ${before?.slice(0, 12)}…` : 'DIFFERENT'),
  )
  return tables.length > 0 && tables.every(({ equal }) => equal) && dumps[0] === dumps[1]
}

function verdict(tables: readonly { equal: boolean }[]): string {
  const different = tables.filter(({ equal }) => !equal).length
  return different === 0 ? `all ${tables.length} tables are equal` : `${different} tables DIFFER`
}

function restoredFrom(index: number): string {
  return index === 0 ? 'shop_from_disk' : 'shop_from_s3'
}

function each(option: string, values: readonly string[]): string[] {
  return values.flatMap((value) => [option, value])
}

async function disposableS3Server(): Promise<S3Server & AsyncDisposable> {
  const server = await startS3Server()
  await server.createBucket(bucket)
  return { ...server, [Symbol.asyncDispose]: () => server.stop() }
}

/** Only what the programs need: the variables of whoever starts this must not lead the demo elsewhere. */
function environment(s3: S3Server): NodeJS.ProcessEnv {
  const { PATH, HOME, TMPDIR, LANG } = process.env
  return { PATH, HOME, TMPDIR, LANG, S3_ACCESS_KEY_ID: s3.accessKeyId, S3_SECRET_ACCESS_KEY: s3.secretAccessKey }
}

function goOn(): string {
  return `The restored databases equal their source. The servers are gone; the backup stays in ${relative(root, backups)}.

How to go on:
  npx holdfast list --from ./data/demo/backups
  npx holdfast backup postgres://user@host/database --to ./backups
  npx holdfast restore latest --from ./backups --into postgres://user@host/database_copy
  npx holdfast --help`
}
