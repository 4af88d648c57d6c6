import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, createReadStream, existsSync, fsyncSync, openSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { check, look } from './look.ts'
import { open, pragma } from './open.ts'
import { failure, report } from './words.ts'

/** Pages between two looks around: 4 MiB of the usual size. */
const step = 1_000
/** How often a copy may begin anew because others wrote, before they have to wait for it. */
const patience = 3

/** Where an overwritten content is kept: under `temporary` until it is whole. */
interface Aside {
  readonly temporary: string
  /** Absent: there may be nothing to keep. Where there is something after all, it is not overwritten. */
  readonly path?: string
}

/** Copies a live database, checks the copy, and writes its bytes to standard output. */
export async function dump(path: string, copy: string): Promise<void> {
  await copyOnline(path, copy)
  check(copy)
  await pipeline(createReadStream(copy, { highWaterMark: 1024 * 1024 }), process.stdout)
}

/**
 * Copies a database page by page while others write.
 *
 * SQLite begins a copy anew when another connection writes, which under a busy writer never ends; unless the copy's own
 * connection holds a read transaction. In WAL mode that hinders nobody, and is held from the start. With a rollback
 * journal it keeps writers waiting, so it is held only when the copy was disturbed too often.
 */
async function copyOnline(from: string, to: string): Promise<void> {
  const source = open(from)
  try {
    if (isWal(source)) hold(source)
    let left = Number.POSITIVE_INFINITY
    let disturbed = 0
    await backup(source, to, (remaining) => {
      if (remaining > left && ++disturbed === patience) {
        hold(source)
        report('note', {
          message: 'Others write all the time: they wait until it is copied. In WAL mode they need not',
        })
      }
      left = remaining
      return step
    })
  } finally {
    source.close()
  }
}

/** Begins a read transaction, which ends when the connection is closed. */
function hold(source: Database.Database): void {
  source.exec('begin')
  source.prepare('select 1 from sqlite_schema').get()
}

/**
 * Replaces the content of a live database in one transaction, through SQLite's locks: other connections see the old
 * content until its end, and the new one from their next transaction on. The file stays the same file.
 *
 * @param aside - Where the old content is kept, exactly as it was before: nobody can write between the two.
 * @throws `NOT_EMPTY` when there is something that was not to be there.
 */
export async function overwrite(from: string, to: string, patienceMs: number, aside?: Aside): Promise<void> {
  const target = new Database(to, { fileMustExist: true, timeout: patienceMs })
  const source = new Database(from, { fileMustExist: true })
  const wasWal = isWal(target)
  try {
    // The page size cannot change in WAL mode, and the mode only while nobody else has the file open.
    const wal = wasWal && pragma(source, 'page_size') === pragma(target, 'page_size')
    if (wasWal && !wal) target.pragma('journal_mode = delete')
    // The mode stands in the first page, and so comes with the copy.
    if (pragma<number>(target, 'page_count') > 0) source.pragma(`journal_mode = ${wasWal ? 'wal' : 'delete'}`)
    const before = pragma(target, 'data_version')
    const pages = aside ? onceKept(() => keepAside(target, to, wal, aside)) : () => step
    await untilFree(() => backup(source, to, pages), patienceMs)
    if (pragma(target, 'data_version') === before) throw busy()
    if (wal) checkpoint(target)
  } finally {
    if (wasWal) backToWal(target, to)
    source.close()
    target.close()
  }
}

/** What cannot be moved into the file now, on a full disk say, is safe in the log, and moved by whoever writes next. */
function checkpoint(target: Database.Database): void {
  try {
    target.pragma('wal_checkpoint(passive)')
  } catch {}
}

/** After a restore that was killed while a database was not in its WAL mode. */
export function bringBackWal(path: string, patienceMs: number): void {
  const database = new Database(path, { fileMustExist: true, timeout: patienceMs })
  backToWal(database, path)
  database.close()
}

/** Whatever went wrong: its programs count on WAL mode. */
function backToWal(target: Database.Database, path: string): void {
  try {
    if (target.pragma('journal_mode = wal', { simple: true }) === 'wal') return
  } catch {} // another program has begun to use it meanwhile
  report('warning', { message: `${path} is no longer in WAL mode: run PRAGMA journal_mode = wal in it` })
}

/** Tells a copy, which has locked its target by then, to write no page until `keep` is done. */
function onceKept(keep: () => Promise<void>): () => number {
  let begun = false
  let pages = 0
  let failed: unknown
  const begin = async (): Promise<void> => {
    begun = true
    try {
      await keep()
      pages = step
    } catch (error) {
      failed = error
    }
  }
  return () => {
    if (!begun) begin()
    if (failed) throw failed
    return pages
  }
}

/** Gives the old content its name when it is whole and on disk. */
async function keepAside(target: Database.Database, path: string, wal: boolean, aside: Aside): Promise<void> {
  if (wal) await backup(target, aside.temporary, () => step)
  else copyLocked(path, aside.temporary)
  if (aside.path === undefined) {
    // Only now nobody can fill it any more.
    if (look(aside.temporary).empty) return
    throw failure('NOT_EMPTY', 'it was empty, and another program has filled it meanwhile')
  }
  chmodSync(aside.temporary, 0o600)
  settle(aside.temporary)
  renameSync(aside.temporary, aside.path)
  settle(dirname(aside.path))
}

/**
 * Copies a file that this process has locked for writing. Nobody can read it through SQLite, but it is whole; another
 * process copies it, because to close it here would drop the lock.
 */
function copyLocked(path: string, to: string): void {
  // Where it was put into WAL mode a moment ago, the file is not all of it.
  if (existsSync(`${path}-wal`)) throw failure('SQLITE_LOCKED', 'another program has put it into WAL mode meanwhile')
  const script = 'require("fs").copyFileSync(process.argv[1], process.argv[2])'
  const { status, stderr } = spawnSync(process.execPath, ['-e', script, path, to], { encoding: 'utf8' })
  if (status !== 0) throw failure(/ENOSPC/.exec(stderr)?.[0] ?? '', `The old content could not be kept: ${stderr}`)
}

/**
 * SQLite's backup from an open database into a file.
 *
 * @param onStep - Called with the pages that remain after each step; returns how many to copy next.
 * @throws `SQLITE_BUSY` when the file is locked: better-sqlite3 takes that for the end, of nothing.
 */
async function backup(from: Database.Database, to: string, onStep: (remaining: number) => number): Promise<void> {
  const { totalPages } = await from.backup(to, { progress: ({ remainingPages }) => onStep(remainingPages) })
  if (totalPages === 0 && pragma<number>(from, 'page_count') > 0) throw busy()
}

async function untilFree(attempt: () => Promise<void>, patienceMs: number): Promise<void> {
  for (const end = performance.now() + patienceMs; ; await sleep(10)) {
    try {
      return await attempt()
    } catch (error) {
      const isBusy = (error as NodeJS.ErrnoException).code === 'SQLITE_BUSY'
      if (!isBusy || performance.now() > end) throw error
    }
  }
}

function isWal(database: Database.Database): boolean {
  return pragma(database, 'journal_mode') === 'wal'
}

function busy(): Error {
  return failure('SQLITE_BUSY', 'it is locked by another program')
}

function settle(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}
