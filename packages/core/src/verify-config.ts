import * as z from 'zod'
import type { Driver } from './driver/driver.js'
import { type Duration, parseDuration } from './duration.js'
import type { Assertion } from './engine/assertions.js'
import type { VerifySettings } from './engine/proof/verify-settings.js'

const hour = 3_600_000

/** How often something is due: a word, or a span of time such as `'14d'`. */
export type Every = 'hourly' | 'daily' | 'weekly' | 'monthly' | Duration

const presets: Readonly<Record<string, number>> = {
  hourly: hour,
  daily: 24 * hour,
  weekly: 7 * 24 * hour,
  monthly: 30 * 24 * hour,
}

/** How the backups of a job prove themselves. */
export interface VerifyConfig {
  /** How often every copy is read to its end and compared with its hashes. Default: only when asked for. */
  readonly scrub?: Every
  /** How the latest backup is restored into a scratch database and compared; a word alone says how often. */
  readonly testRestore?: Every | TestRestoreConfig
}

/** Test restores of a job. */
export interface TestRestoreConfig {
  /** How often. Default: only when asked for. */
  readonly schedule?: Every
  /**
   * A driver bound to a database of the server to restore on; the scratch is made beside that database, which is not
   * touched. Default: the job's source.
   */
  readonly on?: Driver
  /** What has to be true of the restored database. */
  readonly assertions?: readonly Assertion[]
}

const every = z
  .union([z.string(), z.number().positive()], {
    error: 'must be hourly, daily, weekly, monthly or a span such as "14d"',
  })
  .transform((value, context): number => {
    const ms = typeof value === 'number' ? value : (presets[value] ?? parseDuration(value))
    if (ms !== undefined && ms > 0) return ms
    context.addIssue({ code: 'custom', message: 'must be hourly, daily, weekly, monthly or a span such as "14d"' })
    return z.NEVER
  })

const driver = z.custom<Driver>((value) => typeof (value as Driver | undefined)?.restore === 'function', {
  error: 'must be a driver, for example postgres({ url })',
})
const assertion = z.custom<Assertion>((value) => typeof value === 'string' || typeof value === 'function', {
  error: 'must be an SQL statement or a function',
})

/** Schema of {@link VerifyConfig}; its output is what the engine works with. */
export const verifyValue: z.ZodType<VerifySettings, VerifyConfig> = z
  .strictObject({
    scrub: every.optional(),
    testRestore: z
      .union([
        every.transform((schedule) => ({ schedule })),
        z.strictObject({
          schedule: every.optional(),
          on: driver.optional(),
          assertions: z.array(assertion).optional(),
        }),
      ])
      .optional(),
  })
  .transform(({ scrub, testRestore }): VerifySettings => {
    const on = testRestore && 'on' in testRestore ? testRestore.on : undefined
    const assertions = testRestore && 'assertions' in testRestore ? testRestore.assertions : undefined
    return {
      ...(scrub !== undefined && { scrubEveryMs: scrub }),
      ...(testRestore && {
        testRestore: {
          ...(testRestore.schedule !== undefined && { everyMs: testRestore.schedule }),
          ...(on && { on }),
          assertions: assertions ?? [],
        },
      }),
    }
  }) as z.ZodType<VerifySettings, VerifyConfig>

/** Why a job cannot make the test restores that it asks for; `undefined` where it can. */
export function testRestoreProblem(
  { testRestore }: VerifySettings,
  job: { readonly source: Driver; readonly canDecrypt: boolean },
): { readonly key: string; readonly problem: string } | undefined {
  if (!testRestore) return undefined
  const on = testRestore.on ?? job.source
  const key = testRestore.on ? 'testRestore.on' : 'testRestore'
  if (!job.canDecrypt) {
    return {
      key: 'testRestore',
      problem: 'needs a key that reads the backups (identities); this host can only write them',
    }
  }
  if (on.unusable || job.source.unusable) return undefined // what it can is not known before its settings are
  if (on.engine !== job.source.engine) {
    return { key, problem: `is of ${on.engine}, and the job backs up ${job.source.engine}` }
  }
  if (!on.scratch || !on.sections) return { key, problem: `the driver of ${on.engine} makes no test restores` }
  return undefined
}
