import type { RetentionStrategy } from './retention-strategy.js'

/** Keeps everything: what happens without a retention too, said aloud. */
export function everything(): RetentionStrategy {
  return {
    name: 'everything',
    decide: (backups) => backups.map(({ id }) => ({ id, keep: true, reasons: ['everything is kept'] })),
  }
}
