import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import * as z from 'zod'
import { BackupError, isBackupError, messageOf } from '../backup-error.js'
import { readAll, streamOf } from '../byte-stream.js'
import { processExists, processNamespace, startTicks } from '../driver/process-identity.js'
import { formatVersion } from '../layout/manifest.js'
import { leaseKey } from '../layout/object-names.js'
import type { RunContext } from '../run-context.js'
import { removeQuietly } from '../storage/remove-quietly.js'
import type { Storage } from '../storage/storage.js'

/** Milliseconds after which a lease that is not renewed may be taken over. */
export const leaseMs = 120_000

/** Milliseconds after which it is renewed. */
const renewalMs = leaseMs / 3

/** How far the clock of another host may be ahead. A lease that ends later yet would, after a crash, be waited for for years. */
const believableMs = 60 * 60_000

/** A lease that this run holds on one storage. */
export interface Lease extends AsyncDisposable {
  /** @throws {BackupError} `lease-lost` when another run has taken over: the fence before the commit. */
  check(): Promise<void>
  /**
   * Aborts with `lease-lost` when a renewal finds that another run has taken over, or, with the last failure as the
   * error's `cause`, when none has succeeded for so long that another may have.
   */
  readonly lost: AbortSignal
}

/** Shown to people, and written by whoever can write to the storage: nothing in it may begin a line of its own. */
const text = z
  .string()
  .regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u)
  .default('')

const leaseSchema = z.object({
  run: text,
  host: text,
  pid: z.int().nonnegative().default(0),
  startTime: text,
  expiresAt: text,
})

type LeaseContent = Readonly<z.infer<typeof leaseSchema>>

/** What cannot be read as a lease is one that has expired. */
const nobodys: LeaseContent = leaseSchema.parse({})

/**
 * Keeps two runs of a job apart on a storage, with nothing but the storage: an object that only one can create.
 * Renewed while held; disposing of it lets go.
 *
 * @throws {BackupError} `busy` (retryable) while another run holds it.
 */
export async function acquireLease(storage: Storage, job: string, run: string, ctx: RunContext): Promise<Lease> {
  const key = leaseKey(job)
  await claim(storage, key, run, ctx)
  const renewing = new AbortController()
  const losing = new AbortController()
  const signal = AbortSignal.any([ctx.signal, renewing.signal, losing.signal])
  const lose = (cause?: unknown): void => losing.abort(lost(storage, job, cause))
  const renewal = renew(storage, key, run, lose, { ...ctx, signal })
  return {
    lost: losing.signal,
    async check() {
      const held = await read(storage, key, ctx)
      if (held?.run !== run) throw lost(storage, job)
    },
    async [Symbol.asyncDispose]() {
      renewing.abort()
      await renewal
      const letGo = { ...ctx, signal: AbortSignal.timeout(30_000) }
      const held = await read(storage, key, letGo).catch(() => undefined)
      if (held?.run === run) await removeQuietly(storage, [key], ctx)
    },
  }
}

async function claim(storage: Storage, key: string, run: string, ctx: RunContext): Promise<void> {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await storage.put(key, streamOf(contentOf(run, ctx)), { ifAbsent: true }, ctx)
      // A storage without exclusive puts may let two through: the one that is read back holds it.
      if ((await readBack(storage, key, ctx))?.run === run) return
    } catch (error) {
      if (!isBackupError(error, 'already-exists')) throw error
    }
    const held = await read(storage, key, ctx)
    if (held && held.run !== run && !(await isAbandoned(held, storage, key, ctx))) throw busy(storage, held)
    if (held) ctx.log.warn(`Taking over the lease of run ${held.run} on ${storage.name}, which ended without a word`)
    if (held) await storage.delete(key, ctx)
  }
  throw new BackupError('busy', {
    message: `The lease ${key} on ${storage.display} could not be taken: others keep taking it`,
    hint: 'Try again in a moment.',
    retryable: true,
  })
}

/** What cannot be read back is let go of: nobody shall wait for a lease that nobody holds. */
async function readBack(storage: Storage, key: string, ctx: RunContext): Promise<LeaseContent | undefined> {
  try {
    return await read(storage, key, ctx)
  } catch (error) {
    await removeQuietly(storage, [key], ctx)
    throw error
  }
}

async function renew(
  storage: Storage,
  key: string,
  run: string,
  lose: (cause?: unknown) => void,
  ctx: RunContext,
): Promise<void> {
  let heldSince = ctx.clock.monotonic()
  while (!ctx.signal.aborted) {
    try {
      await ctx.clock.sleep(renewalMs, ctx.signal)
      if ((await read(storage, key, ctx))?.run !== run) return lose()
      const now = ctx.clock.monotonic()
      await storage.put(key, streamOf(contentOf(run, ctx)), {}, ctx)
      heldSince = now
    } catch (error) {
      if (ctx.signal.aborted) return
      ctx.log.warn(`The lease ${key} on ${storage.name} was not renewed: ${messageOf(error)}`)
      if (ctx.clock.monotonic() - heldSince >= leaseMs) return lose(error)
    }
  }
}

async function read(storage: Storage, key: string, ctx: RunContext): Promise<LeaseContent | undefined> {
  try {
    const content = leaseSchema.safeParse(
      JSON.parse((await readAll(storage.get(key, undefined, ctx), 65_536)).toString()),
    )
    return content.success ? content.data : nobodys
  } catch (error) {
    if (isBackupError(error, 'not-found')) return undefined
    if (error instanceof SyntaxError || isBackupError(error, 'corrupt')) return nobodys
    throw error
  }
}

function contentOf(run: string, ctx: RunContext): Buffer {
  const content: LeaseContent & { formatVersion: number } = {
    formatVersion,
    run,
    host: thisHost(),
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    expiresAt: new Date(ctx.clock.now().getTime() + leaseMs).toISOString(),
  }
  return Buffer.from(`${JSON.stringify(content)}\n`)
}

/**
 * Past its time, or of a process of this host that is gone: after a crash here nobody has to wait. By the clock of this
 * host another one's may always be past, or never be: then it is nobody's once it has not been renewed for so long that
 * it would have been.
 */
async function isAbandoned(held: LeaseContent, storage: Storage, key: string, ctx: RunContext): Promise<boolean> {
  const isOurs = held.host === thisHost()
  if (isOurs && !stillRuns(held)) return true
  const leftMs = Date.parse(held.expiresAt) - ctx.clock.now().getTime()
  const isFarAhead = leftMs > leaseMs + believableMs
  if (leftMs > 0 && !isFarAhead) return false
  if (!isFarAhead && (isOurs || held.host === '')) return true
  const waitMs = renewalMs * 1.5
  const ends = isFarAhead ? `ends at ${held.expiresAt}, by a clock far ahead of this one` : 'has ended by this clock'
  ctx.log.warn(
    `The lease of run ${held.run} on ${storage.name} ${ends}: waiting ${waitMs / 1000} s to see whether ${held.host} renews it`,
  )
  await ctx.clock.sleep(waitMs, ctx.signal)
  const now = await read(storage, key, ctx)
  return now === undefined || JSON.stringify(now) === JSON.stringify(held)
}

/** In doubt yes: two minutes of waiting are better than two runs at once. */
function stillRuns({ pid, startTime }: LeaseContent): boolean {
  return processExists(pid) && ['', startTime].includes(startTimeOf(pid))
}

/** Where a process id means the same process: containers of one name can each have a process 1. */
function thisHost(): string {
  return `${hostname()} ${processNamespace()}`.trimEnd()
}

/** With the boot's id, for ticks are counted from there. Empty where the system does not tell. */
function startTimeOf(pid: number): string {
  const ticks = startTicks(pid)
  try {
    return ticks === 0 ? '' : `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`
  } catch {
    return ''
  }
}

function busy(storage: Storage, held: LeaseContent): BackupError {
  return new BackupError('busy', {
    message: `Another run of this job is writing to ${storage.display} (process ${held.pid} on ${held.host})`,
    hint: `Wait for it to end. If it is gone, its lease ends by itself at ${held.expiresAt}.`,
    retryable: true,
  })
}

function lost(storage: Storage, job: string, cause?: unknown): BackupError {
  const why =
    cause === undefined
      ? `This run of ${job} was paused for so long that another run took over ${storage.display}`
      : `This run of ${job} could not renew its lease on ${storage.display} before it ended: ${messageOf(cause)}`
  const hint = 'It changes nothing there any more. Run it again.'
  return new BackupError('lease-lost', { message: why, hint, retryable: true, cause })
}
