import { type Fault, type FaultIn, type FaultKind, faultsOf, type StorageOperation } from './fault.js'

/** Puts a fault into calls of an operation: into all, or into those chosen. The first rule that fits counts. */
export type FaultRule = {
  [Operation in StorageOperation]: {
    readonly on: Operation
    readonly fault: FaultIn<Operation>
    /** Only calls with a key (for `list`: a prefix) that matches. They alone are counted for `nth`. */
    readonly key?: RegExp
    /** Only these calls, counted from 1. Default: every call. */
    readonly nth?: number | readonly number[]
  }
}[StorageOperation]

/** Faults at random, the same for the same seed and the same calls. */
export interface RandomFaults {
  readonly seed: number
  /** From 0 to 1: how likely each call is to meet a fault. */
  readonly probability: number
  /** Default: all but `stall`, which needs somebody to abort. */
  readonly kinds?: readonly FaultKind[]
  /** Default: all. */
  readonly operations?: readonly StorageOperation[]
  /** Milliseconds of a `slow` fault. Default 10. */
  readonly slowMs?: number
}

/** Rules, or chance. */
export type FaultPlan = readonly FaultRule[] | RandomFaults

/** The fault of a call, if it meets one. */
export type ChooseFault = (operation: StorageOperation, key: string) => Fault | undefined

/** Turns a plan into decisions. */
export function chooseFaults(plan: FaultPlan): ChooseFault {
  return 'seed' in plan ? byChance(plan) : byRule(plan)
}

function byRule(rules: readonly FaultRule[]): ChooseFault {
  const calls = rules.map(() => 0)
  return (operation, key) => {
    let chosen: Fault | undefined
    for (const [index, { on, fault, key: pattern, nth }] of rules.entries()) {
      if (on !== operation || (pattern && !pattern.test(key))) continue
      const call = (calls[index] ?? 0) + 1
      calls[index] = call
      if (nth === undefined || nth === call || (typeof nth === 'object' && nth.includes(call))) chosen ??= fault
    }
    return chosen
  }
}

function byChance({ seed, probability, kinds, operations, slowMs = 10 }: RandomFaults): ChooseFault {
  const random = seededRandom(seed)
  const wanted = (kind: FaultKind): boolean => (kinds ? kinds.includes(kind) : kind !== 'stall')
  return (operation) => {
    // Always three numbers a call, so that narrowing `kinds` does not shift the faults of later calls.
    const [hit, which, where] = [random(), random(), random()]
    if (hit >= probability || (operations && !operations.includes(operation))) return undefined
    const possible = [...faultsOf[operation]].filter(wanted)
    const kind = possible[Math.floor(which * possible.length)]
    return kind && faultOf(kind, Math.floor(where * 100_000), slowMs)
  }
}

function faultOf(kind: FaultKind, offset: number, ms: number): Fault {
  switch (kind) {
    case 'slow':
      return { kind, ms }
    case 'corrupt':
      return { kind, at: offset }
    case 'error-midway':
    case 'stall':
      return { kind, after: offset }
    default:
      return { kind }
  }
}

/** Numbers from 0 up to 1 that look random and are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
