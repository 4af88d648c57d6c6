/** A source of numbers that are the same in every run. */
export interface Random {
  /** An integer from 0 to `below` - 1. */
  int(below: number): number
  /** An integer from 0 to `below` - 1, of which small ones are much more likely: words of a language are like that. */
  skewed(below: number): number
  /** Bytes without any pattern, as a view that the next call overwrites. */
  bytes(count: number): Buffer
}

/** Marsaglia's xorshift128: quick, and random enough for compressors to find nothing in it. */
export function seededRandom(seed: number): Random {
  let x = seed >>> 0 || 1
  let y = 362436069
  let z = 521288629
  let w = 88675123
  let scratch = new Uint32Array(1024)

  const next = (): number => {
    const t = x ^ (x << 11)
    x = y
    y = z
    z = w
    w = w ^ (w >>> 19) ^ t ^ (t >>> 8)
    return w >>> 0
  }
  for (let i = 0; i < 16; i++) next()

  return {
    int: (below) => next() % below,
    skewed(below) {
      const unit = next() / 4294967296
      return Math.floor(unit * unit * unit * below)
    },
    bytes(count) {
      const words = Math.ceil(count / 4)
      if (words > scratch.length) scratch = new Uint32Array(words)
      for (let i = 0; i < words; i++) scratch[i] = next()
      return Buffer.from(scratch.buffer, 0, count)
    },
  }
}
