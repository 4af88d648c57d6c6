import * as z from 'zod'
import type { FailedAssertion } from '../assertions.js'

/** What a test restore found. Kept with the verification of the copy that was restored. */
export interface TestRestore {
  /** UTC, ISO 8601. */
  readonly testedAt: string
  /**
   * `proven`: what was restored equals what was dumped, and all that was asserted holds. `assertion-failed`: it equals
   * what was dumped, but an assertion does not hold. `differs`: it does not equal it. `failed`: the backup could not be
   * restored.
   */
  readonly status: 'proven' | 'assertion-failed' | 'differs' | 'failed'
  /** Where the scratch database was: what may be shown of it. */
  readonly on: string
  /** As that server says it. */
  readonly serverVersion: string
  /** Milliseconds that the restore took by itself: what a restore in earnest will take on such a server. */
  readonly restoreMs: number
  /** Milliseconds of the whole test. */
  readonly durationMs: number
  /** How many sections of the dump were compared. */
  readonly sections: number
  /** What is not as it was: the first hundred. */
  readonly differences: readonly Difference[]
  /** Assertions that do not hold of what was restored. */
  readonly failedAssertions: readonly FailedAssertion[]
  /** What was noticed and does not speak against the backup. */
  readonly notes: readonly string[]
  /** Why it `failed`. */
  readonly problem?: string | undefined
}

/** One thing that is not as it was when the backup was taken. Holds no values of rows. */
export interface Difference {
  /** For example `rows of public.orders` or `index public.orders_pkey`. */
  readonly section: string
  readonly problem: string
  /** Of rows: the number of the first one that differs, from 1. */
  readonly row?: number | undefined
  /** The column in which it differs, where the dump tells. */
  readonly column?: string | undefined
}

/** As {@link TestRestore} lies on a storage. */
export const testRestoreSchema: z.ZodType<TestRestore> = z.object({
  testedAt: z.iso.datetime(),
  status: z.enum(['proven', 'assertion-failed', 'differs', 'failed']),
  on: z.string(),
  serverVersion: z.string(),
  restoreMs: z.number().nonnegative(),
  durationMs: z.number().nonnegative(),
  sections: z.number().int().nonnegative(),
  differences: z.array(
    z.object({
      section: z.string(),
      problem: z.string(),
      row: z.number().int().positive().optional(),
      column: z.string().optional(),
    }),
  ),
  failedAssertions: z.array(z.object({ assertion: z.string(), problem: z.string() })).default([]),
  notes: z.array(z.string()),
  problem: z.string().optional(),
})
