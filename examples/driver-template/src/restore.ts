import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import {
  BackupError,
  type RestoreReport,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { trailer } from './dump.js'
import { fileOf, tablesOf } from './tables.js'

/**
 * Restores beside the target, and takes its place at the end: whatever goes wrong before that (damage shows as a
 * stream that throws), the target was never touched.
 */
export async function restore(
  directory: string,
  from: RestoreSource,
  { mode, tables, sections = 'all' }: RestoreRequest,
  ctx: RunContext,
): Promise<RestoreReport> {
  if (mode === 'append' || tables || sections !== 'all') {
    throw new BackupError('restore-refused', { message: 'This engine is restored as a whole, with create or clean' })
  }
  const existing = await tablesOf(directory)
  if (mode === 'create' && existing && existing.length > 0) {
    throw new BackupError('target-not-empty', { message: `${directory} holds ${existing.length} tables` })
  }
  const fresh = `${directory}__restoring_${process.pid}`
  try {
    await mkdir(fresh, { recursive: true, mode: 0o700 })
    await fill(fresh, from, ctx)
    ctx.signal.throwIfAborted()
    await takePlace(fresh, directory, existing !== undefined)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
  return { created: existing === undefined, warnings: [], tools: {} }
}

async function fill(directory: string, from: RestoreSource, ctx: RunContext): Promise<void> {
  let table: WriteStream | undefined
  let ended = false
  try {
    const input = Readable.from(from.open('dump', ctx))
    const failed = once(input, 'end') // rejects with what the stream throws; readline would pass over it
    failed.catch(() => {})
    for await (const line of createInterface({ input })) {
      ended = `${line}\n` === trailer
      if (line.startsWith('#table ')) {
        await close(table)
        table = createWriteStream(fileOf(directory, JSON.parse(line.slice('#table '.length))), { mode: 0o600 })
      } else if (!ended && table?.write(`${line}\n`) === false) await once(table, 'drain')
    }
    await failed
  } finally {
    await close(table)
  }
  if (!ended) throw new BackupError('corrupt', { message: 'The dump lacks its end' })
}

async function close(table: WriteStream | undefined): Promise<void> {
  if (!table) return
  table.end()
  await finished(table)
}

/** Two renames: a crash between them leaves the old database under its other name. A real engine can do better. */
async function takePlace(fresh: string, directory: string, exists: boolean): Promise<void> {
  const old = `${directory}__before_${process.pid}`
  if (exists) await rename(directory, old)
  await rename(fresh, directory)
  await rm(old, { recursive: true, force: true })
}
