import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder `bench`, without a slash at its end. */
export const benchDir: string = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '')

/** What may be deleted at any time: the database server's files, outputs of runs. Kept, the next run starts sooner. */
export const workDir: string = `${benchDir}/.work`

/** The program that is measured: as `npm run build` leaves it, or another build that HOLDFAST_BIN names. */
export const holdfastBin: string = process.env.HOLDFAST_BIN ?? resolve(benchDir, '../packages/cli/dist/bin.js')
