import { BackupError } from '../backup-error.js'
import { decide } from './decide.js'
import type { Decision, RetentionStrategy } from './retention-strategy.js'

/**
 * Keeps what any of the strategies keeps.
 *
 * @throws {BackupError} `config-invalid` without a strategy.
 * @example
 * ```ts
 * import { anyOf, keep, maxAge } from '@holdfast/core'
 *
 * const retention = anyOf(maxAge('14d'), keep({ monthly: 12 }))
 * ```
 */
export function anyOf(...strategies: readonly RetentionStrategy[]): RetentionStrategy {
  return combine('or', strategies, (votes) => votes.some(({ keep }) => keep))
}

/**
 * Keeps what all of the strategies keep.
 *
 * @throws {BackupError} `config-invalid` without a strategy.
 * @example
 * ```ts
 * import { allOf, keep, maxTotalSize } from '@holdfast/core'
 *
 * const retention = allOf(keep({ daily: 7, weekly: 4 }), maxTotalSize('50GiB'))
 * ```
 */
export function allOf(...strategies: readonly RetentionStrategy[]): RetentionStrategy {
  return combine('and', strategies, (votes) => votes.every(({ keep }) => keep))
}

function combine(
  word: 'and' | 'or',
  strategies: readonly RetentionStrategy[],
  isKept: (votes: readonly Decision[]) => boolean,
): RetentionStrategy {
  if (strategies.length === 0) {
    throw new BackupError('config-invalid', { message: `A retention of no strategies says nothing`, hint: 'Name one.' })
  }
  return {
    name: strategies.map(({ name }) => (strategies.length > 1 ? `(${name})` : name)).join(` ${word} `),
    decide(backups, now) {
      const ballots = strategies.map((strategy) => {
        const decisions = new Map(decide(strategy, backups, now).map((decision) => [decision.id, decision]))
        return (id: string): Decision =>
          decisions.get(id) ?? { id, keep: true, reasons: [`${strategy.name} is silent`] }
      })
      return backups.map(({ id }) => {
        const votes = ballots.map((voteOn) => voteOn(id))
        const keep = isKept(votes)
        // Those who voted as it came out say why.
        const reasons = votes.filter((vote) => vote.keep === keep).flatMap((vote) => vote.reasons)
        return { id, keep, reasons: [...new Set(reasons)] }
      })
    },
  }
}
