import { BackupError } from '../backup-error.js'
import { type ByteStream, MiB } from '../byte-stream.js'
import type { DumpPart } from '../driver/driver.js'
import type { Clock, RunContext } from '../run-context.js'
import { removeQuietly } from '../storage/remove-quietly.js'
import type { Storage } from '../storage/storage.js'
import { broadcast } from '../stream/broadcast.js'
import { meter } from '../stream/meter.js'
import { encodePart } from './encode-part.js'
import type { CopyOutcome, WritePlan } from './layout.js'
import type { ManifestPart } from './manifest.js'
import { partKey } from './object-names.js'

/** Bytes that a fast copy may be ahead of a slow one. A single copy is ahead of none. */
const broadcastBytes = (copies: number): number => (copies > 1 ? 8 : 1) * MiB

/** A part as it came to lie, copy by copy; `describe` is known only if some copy is whole. */
export interface WrittenPart {
  readonly key: string
  readonly copies: readonly CopyOutcome[]
  describe(): ManifestPart
}

/**
 * Streams one part through compression, encryption and hash, once, to every storage.
 *
 * @throws what the dump, the codec or the cipher throws; a storage's error becomes the outcome of its copy.
 */
export async function writePart(
  part: DumpPart,
  plan: WritePlan,
  storages: readonly Storage[],
  ctx: RunContext,
): Promise<WrittenPart> {
  const key = partKey(plan.base, part.name, plan.codec.extension + (plan.cipher?.extension ?? ''))
  const encoded = encodePart(part, plan.codec, ctx)
  const encrypted = plan.cipher ? plan.cipher.encrypt(encoded.stream, ctx) : encoded.stream
  const stored = meter(encrypted, {
    sha256: true,
    onBytes: (storedBytes) => {
      const plainBytes = encoded.plain?.soFar()
      ctx.report({
        type: 'bytes',
        stage: 'dump',
        part: part.name,
        storedBytes,
        ...(plainBytes !== undefined && { plainBytes }),
        ...(part.expectedBytes !== undefined && { totalPlainBytes: part.expectedBytes }),
      })
    },
  })
  const source = rememberFailure(stored.stream)
  // A put that hangs does not ask for more, so only its own signal reaches it.
  const patience = storages.map(() => new AbortController())
  const outputs = broadcast(
    source.stream,
    storages.length,
    {
      bufferBytes: broadcastBytes(storages.length),
      stallTimeoutMs: plan.stallTimeoutMs,
      onStalled: (index, error) => patience[index]?.abort(error),
    },
    ctx,
  )
  const copies = await Promise.all(
    storages.map((storage, index) => {
      const signal = AbortSignal.any([ctx.signal, ...patience.slice(index, index + 1).map((one) => one.signal)])
      const expected = (): number => stored.result().bytes
      const body = outputs[index] as ByteStream
      return putCopy(storage, key, body, plan, expected, patience[index], { ...ctx, signal })
    }),
  )
  const failure = ctx.signal.aborted ? { error: ctx.signal.reason } : source.failure()
  if (failure) {
    // Another copy may have been whole when this one was not yet.
    const whole = copies.filter(({ status }) => status === 'complete')
    await Promise.all(whole.map(({ storage }) => removeQuietly(storage, [key], ctx)))
    throw failure.error
  }
  return { key, copies, describe: () => describe(part, key, plan, stored.result(), encoded.plain?.result()) }
}

async function putCopy(
  storage: Storage,
  key: string,
  body: ByteStream,
  { metadata, stallTimeoutMs }: WritePlan,
  expectedBytes: () => number,
  patience: AbortController | undefined,
  ctx: RunContext,
): Promise<CopyOutcome> {
  const finishing = finishWithin(stallTimeoutMs * stallsToFinish, storage, ctx.clock)
  try {
    const put = storage.put(key, finishing.watch(body), { ifAbsent: true, metadata }, ctx)
    const object = await finishing.race(put, (error) => patience?.abort(error))
    if (object.size !== expectedBytes()) throw shortObject(storage, key, object.size, expectedBytes())
    return { storage, status: 'complete' }
  } catch (error) {
    return { storage, status: 'failed', error }
  }
}

/** How many stall timeouts a storage has to finish what it has taken whole: a sync of a large file takes minutes. */
const stallsToFinish = 10

/** Waits for a put only so long once its body has ended: one that hangs then would hold the run and all other copies. */
function finishWithin(ms: number, storage: Storage, clock: Clock) {
  const done = new AbortController()
  let onEnd = (): void => {}
  const ended = new Promise<void>((resolve) => {
    onEnd = resolve
  })
  return {
    async *watch(body: ByteStream): AsyncGenerator<Uint8Array> {
      yield* body
      onEnd()
    },
    async race<Result>(put: Promise<Result>, onStalled: (error: BackupError) => void): Promise<Result> {
      const stalled = ended
        .then(() => clock.sleep(ms, done.signal))
        .then(() => {
          const error = neverFinished(storage, ms)
          onStalled(error)
          throw error
        })
      stalled.catch(() => {})
      put.catch(() => {})
      try {
        return await Promise.race([put, stalled])
      } finally {
        done.abort()
      }
    },
  }
}

function neverFinished(storage: Storage, ms: number): BackupError {
  return new BackupError('stalled', {
    message: `${storage.display} took every byte, and did not finish within ${Math.round(ms / 1000)} s`,
    hint: 'Look whether it hangs. `stallTimeout` of the job says how long is waited.',
    retryable: true,
  })
}

function shortObject(storage: Storage, key: string, size: number, expected: number): BackupError {
  return new BackupError('corrupt', {
    message: `${storage.display} holds ${size} bytes of ${key}, but ${expected} were written`,
    hint: 'The copy was discarded. Run `holdfast storage check` against this storage.',
    retryable: true,
  })
}

interface Remembered {
  readonly stream: ByteStream
  failure(): { readonly error: unknown } | undefined
}

/** Tells a failure of the source from a failure of a storage: both reach a storage's `put` as a rejection. */
function rememberFailure(stream: ByteStream): Remembered {
  let failure: { error: unknown } | undefined
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream
    } catch (error) {
      failure = { error }
      throw error
    }
  }
  return { stream: watched(), failure: () => failure }
}

function describe(
  part: DumpPart,
  key: string,
  plan: WritePlan,
  stored: { bytes: number; sha256?: string },
  plain: { bytes: number; sha256?: string } | undefined,
): ManifestPart {
  return {
    name: part.name,
    mediaType: part.mediaType,
    key,
    storedBytes: stored.bytes,
    storedSha256: stored.sha256 ?? '',
    ...(plain?.sha256 !== undefined && { plainBytes: plain.bytes, plainSha256: plain.sha256 }),
    codec: plan.codec.id,
    ...(plan.cipher && { cipher: { id: plan.cipher.id, keyIds: plan.cipher.keyIds } }),
    ...(part.trailer !== undefined && { trailer: part.trailer }),
  }
}
