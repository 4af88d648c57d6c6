import type { Catalog, RunRecord } from './catalog.js'

/** Runs kept; older ones are forgotten, so that a service that runs for years does not grow. */
const keptRuns = 1_000

/** A catalog that lives as long as the process: enough for an app that takes a backup now and then. */
export function memoryCatalog(): Catalog {
  const runs = new Map<string, RunRecord>()
  const identities = new Map<string, string>()
  return {
    async begin(run) {
      runs.set(run.id, run)
      const oldest = runs.keys().next().value
      if (runs.size > keptRuns && oldest !== undefined) runs.delete(oldest)
    },
    async finish(id, outcome) {
      const run = runs.get(id)
      if (run) runs.set(id, { ...run, ...outcome })
    },
    async runs({ job, limit = keptRuns } = {}) {
      const newestFirst = [...runs.values()].reverse()
      return newestFirst.filter((run) => job === undefined || run.job === job).slice(0, limit)
    },
    async storageIdentity(storage) {
      return identities.get(storage)
    },
    async rememberStorageIdentity(storage, identity) {
      identities.set(storage, identity)
    },
  }
}
