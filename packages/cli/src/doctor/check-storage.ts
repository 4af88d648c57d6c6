import { randomUUID } from 'node:crypto'
import {
  type Catalog,
  checkIdentity,
  identityKey,
  isBackupError,
  probePrefix,
  type RunContext,
  readAll,
  type Storage,
  streamOf,
} from '@holdfast/core'
import { exitCodes } from '../exit-codes.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatDuration } from '../output/format-duration.js'
import { type Finding, failure, good, problem, warning } from './finding.js'

const littleSpace = 1024 ** 3
/** Clocks that are further apart confuse ages; AWS refuses requests at 15 minutes. */
const mostSkewMs = 60_000

/** Whether a storage is the one it was, can be written, read, listed and deleted from; its space and its clock. */
export async function checkStorage(storage: Storage, catalog: Catalog, ctx: RunContext): Promise<readonly Finding[]> {
  const about = `storage ${storage.name}`
  try {
    await checkIdentity(storage, catalog, ctx)
    return [
      await describeIdentity(about, storage, ctx),
      ...(await checkAccess(about, storage, ctx)),
      ...(await checkSpace(about, storage, ctx)),
    ]
  } catch (error) {
    ctx.signal.throwIfAborted()
    return [failure(about, error)]
  }
}

async function describeIdentity(about: string, storage: Storage, ctx: RunContext): Promise<Finding> {
  try {
    const content = JSON.parse((await readAll(storage.get(identityKey, undefined, ctx), 65_536)).toString()) as {
      id?: string
      createdAt?: string
    }
    return good(about, `${storage.display}, in use since ${content.createdAt?.slice(0, 10) ?? 'an unknown day'}`)
  } catch (error) {
    if (isBackupError(error, 'not-found')) return good(about, `${storage.display}, not used by Holdfast yet`)
    if (!(error instanceof SyntaxError)) throw error
    const advice = 'Something else wrote to it. Move it away once you are sure that this is the right place.'
    return problem(about, `${identityKey} cannot be read: ${error.message}`, advice, exitCodes.storage)
  }
}

async function checkAccess(about: string, storage: Storage, ctx: RunContext): Promise<readonly Finding[]> {
  const key = probePrefix + randomUUID()
  const content = Buffer.from(key)
  const before = Date.now()
  const stored = await storage.put(key, streamOf(content), { ifAbsent: true }, ctx)
  const after = Date.now()
  try {
    const read = await readAll(storage.get(key, undefined, ctx), 1024)
    const listed: string[] = []
    for await (const object of storage.list(key, ctx)) listed.push(object.key)
    if (!read.equals(content) || !listed.includes(key)) {
      const text = 'what was written cannot be read back or is not listed'
      return [problem(about, text, `Run: holdfast storage check ${storage.name}`, exitCodes.storage)]
    }
  } finally {
    await storage.delete(key, ctx)
  }
  const tookMs = Date.now() - before
  const access = good(about, `can be written, read, listed and deleted from (${formatDuration(tookMs)})`)
  return [access, ...checkClock(about, stored.modifiedAt, before, after)]
}

/** How far the storage's clock is from ours: the time of an object against when it was written. */
function checkClock(about: string, stored: Date, before: number, after: number): Finding[] {
  const at = stored.getTime()
  // Some storages keep whole seconds.
  const skew = at < before - 1000 ? at - before : at > after + 1000 ? at - after : 0
  if (Math.abs(skew) < mostSkewMs) return []
  const text = `its clock is ${formatDuration(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} this machine's`
  return [warning(about, text, 'Set both by NTP: ages are reckoned from them, and S3 refuses requests beyond 15 min.')]
}

async function checkSpace(about: string, storage: Storage, ctx: RunContext): Promise<Finding[]> {
  const free = await storage.freeSpace?.(ctx)
  if (free === undefined) return []
  if (free >= littleSpace) return [good(about, `${formatBytes(free)} free`)]
  return [warning(about, `only ${formatBytes(free)} free`, 'Make room before the next backup.')]
}
