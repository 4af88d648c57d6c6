import { parseArgs } from 'node:util'
import type { DataSet } from '#bench/data/data-set'
import { dense } from '#bench/data/dense'
import { shop } from '#bench/data/shop'
import { type Size, sizes } from '#bench/sizes'

/** What the command line asks for. */
export interface Options {
  readonly only: readonly string[] | undefined
  readonly sizes: readonly Size[] | undefined
  readonly dataSets: readonly DataSet[] | undefined
  readonly runs: number
  /** Whether the figures go to `results/` and RESULTS.md. */
  readonly keep: boolean
  readonly help: boolean
}

/** Printed by `--help`. */
export const usage: string = `npm run bench -- [options]

  --only NAME     a scenario; may be repeated
  --size SIZE     100MB, 1GB or 4GB instead of the scenario's own; may be repeated
  --data NAME     shop or dense instead of the scenario's own; may be repeated
  --runs N        measured runs of each side (default 5)
  --quick         100MB, shop and 2 runs unless said otherwise; prints the figures and keeps none
  --list          names the scenarios
`

const dataSets: Readonly<Record<string, DataSet>> = { shop, dense }

/** @throws {Error} that says what is wrong. */
export function readOptions(args: readonly string[]): Options & { readonly list: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      size: { type: 'string', multiple: true },
      data: { type: 'string', multiple: true },
      runs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const chosenSizes = values.size?.map((name) =>
    named(name.toUpperCase(), 'size', Object.fromEntries(sizes.map((s) => [s, s]))),
  )
  const chosenData = values.data?.map((name) => named(name, 'data set', dataSets))
  const runs = Number(values.runs ?? (values.quick ? 2 : 5))
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs takes a whole number above 0, not ${values.runs}`)
  return {
    only: values.only,
    sizes: chosenSizes ?? (values.quick ? ['100MB'] : undefined),
    dataSets: chosenData ?? (values.quick ? [shop] : undefined),
    runs,
    keep: !values.quick,
    help: values.help,
    list: values.list,
  }
}

function named<Value>(name: string, what: string, known: Readonly<Record<string, Value>>): Value {
  const value = known[name]
  if (value === undefined) throw new Error(`There is no ${what} ${name}; there are ${Object.keys(known).join(', ')}`)
  return value
}
