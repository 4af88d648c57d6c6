import { contents, inventory, query, rows, sections } from './content.ts'
import { dump, overwrite } from './copy.ts'
import { check, look, version } from './look.ts'

/** What the program can be asked to do. Arguments and results are JSON; bytes go to its standard output. */
export interface Tasks {
  readonly version: typeof version
  readonly look: typeof look
  readonly check: typeof check
  readonly dump: typeof dump
  readonly overwrite: typeof overwrite
  readonly contents: typeof contents
  readonly inventory: typeof inventory
  readonly sections: typeof sections
  readonly rows: typeof rows
  readonly query: typeof query
}

export const tasks: Tasks = {
  version,
  look,
  check,
  dump,
  overwrite,
  contents,
  inventory,
  sections,
  rows,
  query,
}
