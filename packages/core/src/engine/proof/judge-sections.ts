import type { ByteStream } from '../../byte-stream.js'
import type { Driver, DumpSection, PartFormat } from '../../driver/driver.js'
import type { RunContext } from '../../run-context.js'
import { compareSections, type SectionDifference } from './compare-sections.js'
import { firstDifference } from './first-difference.js'
import type { Difference } from './test-restore-result.js'

/** One of the two dumps that are compared. */
export interface ComparedDump {
  readonly sections: readonly DumpSection[]
  /** Reads the dump once more. */
  again<Result>(use: (part: PartFormat, body: ByteStream) => Promise<Result>): Promise<Result>
}

/** A driver that tells what is in a dump. */
export type ProvingDriver = Driver & Required<Pick<Driver, 'sections'>>

/** How strictly to judge. */
export interface Judging {
  readonly driver: ProvingDriver
  /** Whether both servers are of one version: else definitions are worded differently, and only rows are compared. */
  readonly sameVersion: boolean
  /** Whether owners, grants and tablespaces have to be the same. */
  readonly strictPlacement: boolean
  readonly ctx: RunContext
}

/** Tables of which the first row that differs is looked for; each takes another look at both dumps. */
const tablesLookedInto = 3
/** Names in one note. */
const namesInNote = 10

/**
 * Tells what in a restored database is not as it was dumped, and what is only written differently. Rows that differ
 * in their order alone are the same rows: a server is free to keep them as it likes.
 */
export async function judgeSections(
  dumped: ComparedDump,
  restored: ComparedDump,
  judging: Judging,
): Promise<{ readonly differences: readonly Difference[]; readonly notes: readonly string[] }> {
  const found = compareSections(dumped.sections, restored.sections)
  const isSuspect = ({ kind, how }: SectionDifference): boolean => kind === 'rows' && how === 'changed'
  const suspects = new Set(found.filter(isSuspect).map(({ name }) => name))
  const changed = suspects.size > 0 ? await changedInAnyOrder(suspects, dumped, restored, judging) : suspects
  const real = found.filter((difference) => !isSuspect(difference) || changed.has(difference.name))
  const harmless = real.filter((difference) => isHarmless(difference, judging))
  const differences = real
    .filter((difference) => !harmless.includes(difference))
    .map(({ name, how }): Difference => ({ section: name, problem: problems[how] }))
  const tables = differences.filter(({ section }) => changed.has(section))
  for (const table of tables.slice(0, tablesLookedInto)) {
    Object.assign(table, await lookInto(table.section, dumped, restored, judging))
  }
  return { differences, notes: notesOn(harmless) }
}

const problems: Readonly<Record<SectionDifference['how'], string>> = {
  missing: 'it is missing in the restored database',
  added: 'it is in the restored database alone',
  changed: 'it differs',
}

/** Of the sections named, those that differ whatever the order of their rows. */
async function changedInAnyOrder(
  unordered: ReadonlySet<string>,
  dumped: ComparedDump,
  restored: ComparedDump,
  { driver, ctx }: Judging,
): Promise<ReadonlySet<string>> {
  const read = async (part: PartFormat, body: ByteStream): Promise<readonly DumpSection[]> =>
    (await driver.sections(part, body, ctx, { unordered })).filter(({ name }) => unordered.has(name))
  const [before, after] = [await dumped.again(read), await restored.again(read)]
  const hashOf = new Map(after.map(({ name, sha256 }) => [name, sha256]))
  const same = new Set(before.filter(({ name, sha256 }) => hashOf.get(name) === sha256).map(({ name }) => name))
  return new Set([...unordered].filter((name) => !same.has(name))) // nor is one that neither look has found again
}

function isHarmless({ name, kind, how }: SectionDifference, { sameVersion, strictPlacement }: Judging): boolean {
  if (kind === 'placement') return !strictPlacement
  if (kind === 'rows' || sameVersion) return false
  // What is there under its name was made; what is not there was lost, whatever the version.
  return how !== 'missing' || name.startsWith('large object')
}

async function lookInto(
  section: string,
  dumped: ComparedDump,
  restored: ComparedDump,
  { driver, ctx }: Judging,
): Promise<Partial<Difference>> {
  const columnsIn = ({ sections }: ComparedDump): readonly string[] | undefined =>
    sections.find(({ name }) => name === section)?.columns
  const columns = columnsIn(dumped)
  const rowsOf = driver.rows?.bind(driver)
  if (!rowsOf || !columns || columns.join() !== columnsIn(restored)?.join()) return {}
  return dumped.again((part, body) =>
    restored.again((otherPart, otherBody) =>
      firstDifference(rowsOf(part, body, section, ctx), rowsOf(otherPart, otherBody, section, ctx), columns),
    ),
  )
}

function notesOn(harmless: readonly SectionDifference[]): readonly string[] {
  const namesOf = (kind: DumpSection['kind']): string[] =>
    harmless.filter((difference) => difference.kind === kind).map(({ name }) => name)
  const listed = (names: readonly string[]): string =>
    names.slice(0, namesInNote).join(', ') +
    (names.length > namesInNote ? ` and ${names.length - namesInNote} more` : '')
  const [schema, placement] = [namesOf('schema'), namesOf('placement')]
  return [
    ...(schema.length > 0
      ? [
          `The server is of another version and words these definitions differently, so only rows were compared: ${listed(schema)}`,
        ]
      : []),
    ...(placement.length > 0
      ? [`Owners, grants or tablespaces are other ones on this server: ${listed(placement)}`]
      : []),
  ]
}
