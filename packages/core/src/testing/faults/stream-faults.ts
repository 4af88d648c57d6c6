import type { RunContext } from '../../run-context.js'
import type { Fault } from './fault.js'

/** How a stream of something is measured, cut and spoilt. */
export interface Substance<Item> {
  /** Bytes of a chunk; 1 for an object. */
  sizeOf(item: Item): number
  /** The first `size` of an item, above 0 and below its size. */
  cut(item: Item, size: number): Item
  /** The rest after the first `size`. */
  rest(item: Item, size: number): Item
}

/** Chunks of bytes. */
const bytes: Substance<Uint8Array> = {
  sizeOf: (chunk) => chunk.byteLength,
  cut: (chunk, size) => chunk.subarray(0, size),
  rest: (chunk, size) => chunk.subarray(size),
}

/** Whole things, which cannot be cut. */
export function wholeItems<Item>(): Substance<Item> {
  return { sizeOf: () => 1, cut: (item) => item, rest: (item) => item }
}

/** The items up to a total size, then `end()`. */
async function* upTo<Item>(
  source: AsyncIterable<Item>,
  size: number,
  { sizeOf, cut }: Substance<Item>,
  end: () => Promise<void>,
): AsyncGenerator<Item> {
  let left = size
  if (left > 0) {
    for await (const item of source) {
      if (sizeOf(item) > left) yield cut(item, left)
      else yield item
      left -= sizeOf(item)
      if (left <= 0) break
    }
  }
  await end()
}

/** All but the last byte or object. */
async function* withoutLast<Item>(source: AsyncIterable<Item>, { sizeOf, cut }: Substance<Item>): AsyncGenerator<Item> {
  let held: { readonly item: Item } | undefined
  for await (const item of source) {
    if (sizeOf(item) === 0) continue
    if (held) yield held.item
    held = { item }
  }
  if (held && sizeOf(held.item) > 1) yield cut(held.item, sizeOf(held.item) - 1)
}

/** Waits before each item. */
async function* slowly<Item>(source: AsyncIterable<Item>, ms: number, ctx: RunContext): AsyncGenerator<Item> {
  for await (const item of source) {
    await ctx.clock.sleep(ms, ctx.signal)
    yield item
  }
}

/** Flips the lowest bit of the byte at `at`, or of the last one. What was given is not changed. */
async function* flipped(source: AsyncIterable<Uint8Array>, at: number): AsyncGenerator<Uint8Array> {
  let passed = 0
  let held: Uint8Array | undefined
  for await (const chunk of source) {
    if (chunk.byteLength === 0) continue
    if (held) yield held
    const offset = at - passed
    passed += chunk.byteLength
    const hit = offset >= 0 && offset < chunk.byteLength
    held = hit ? withFlippedBit(chunk, offset) : chunk
  }
  if (held) yield passed <= at ? withFlippedBit(held, held.byteLength - 1) : held
}

function withFlippedBit(chunk: Uint8Array, offset: number): Uint8Array {
  const copy = Uint8Array.from(chunk)
  copy[offset] = (copy[offset] ?? 0) ^ 1
  return copy
}

/** The first two chunks in each other's place; a single one is cut in two. */
async function* swapped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { cut, rest } = bytes
  let first: Uint8Array | undefined
  let done = false
  for await (const chunk of source) {
    if (done) yield chunk
    else if (!first) first = chunk
    else {
      yield chunk
      yield first
      done = true
    }
  }
  if (!first || done) return
  const middle = Math.ceil(first.byteLength / 2)
  yield rest(first, middle)
  yield cut(first, middle)
}

/** The first chunk twice. */
async function* firstTwice<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
  let begun = false
  for await (const item of source) {
    if (!begun) yield item
    begun = true
    yield item
  }
}

/** Each item twice. */
export async function* eachTwice<Item>(source: AsyncIterable<Item>): AsyncGenerator<Item> {
  for await (const item of source) yield* [item, item]
}

/** All items. */
export async function collect<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of source) items.push(item)
  return items
}

/** Never resolves; rejects with the reason when the signal aborts. */
export function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** A stream of bytes with `fault` in it. Faults of whole calls leave it as it is. */
export function faultyBytes(
  source: AsyncIterable<Uint8Array>,
  fault: Fault,
  error: unknown,
  ctx: RunContext,
): AsyncIterable<Uint8Array> {
  if (fault.kind === 'corrupt') return flipped(source, fault.at ?? 0)
  if (fault.kind === 'reorder') return swapped(source)
  if (fault.kind === 'duplicate') return firstTwice(source)
  return faultyStream(source, fault, error, bytes, ctx)
}

/** A stream of anything with `fault` in it. */
export function faultyStream<Item>(
  source: AsyncIterable<Item>,
  fault: Fault,
  error: unknown,
  substance: Substance<Item>,
  ctx: RunContext,
): AsyncIterable<Item> {
  const fail = async (): Promise<void> => Promise.reject(error)
  switch (fault.kind) {
    case 'error-after':
      return upTo(source, Number.POSITIVE_INFINITY, substance, fail)
    case 'error-midway':
      return upTo(source, fault.after ?? 1, substance, fail)
    case 'short':
      if (fault.keep === undefined) return withoutLast(source, substance)
      return upTo(source, fault.keep, substance, async () => {})
    case 'slow':
      return slowly(source, fault.ms, ctx)
    case 'stall':
      return upTo(source, fault.after ?? 0, substance, () => untilAborted(ctx.signal))
    default:
      return source
  }
}
