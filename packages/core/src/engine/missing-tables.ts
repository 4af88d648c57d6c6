import { nearHint } from '../closest.js'
import type { Driver, ObjectName, PreflightProblem, RestoreSource } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'

/** Tables that a hint names, where none is near to what was asked for. */
const namesInHint = 10

/**
 * The tables that a restore is to choose and the dump does not hold, each with those that may have been meant. What was
 * counted when the backup was taken tells of most without the dump being read.
 */
export async function missingTables(
  target: Driver,
  source: RestoreSource,
  tables: readonly string[],
  ctx: RunContext,
): Promise<readonly PreflightProblem[]> {
  if (!target.contents) return []
  const { database, inventory } = source.manifest
  const means = target.isChosen ?? isNamed
  const holds = (objects: readonly ObjectName[], table: string): boolean =>
    objects.some((object) => means(table, object) || means(table, { schema: database, ...object }))
  const counted = (inventory?.tables ?? []).map((table) => ({ kind: 'table', ...table }))
  const unsure = tables.filter((table) => !holds(counted, table))
  if (unsure.length === 0) return []
  const objects = await target.contents(source, ctx)
  const names = objects.filter((object) => means(nameOf(object), object)).map(nameOf)
  return unsure
    .filter((table) => !holds(objects, table))
    .map((table) => ({ message: `The backup holds no table ${JSON.stringify(table)}`, hint: hintFor(table, names) }))
}

/** What a name means where the driver does not say it. */
function isNamed(table: string, { kind, schema, name }: ObjectName): boolean {
  return /(?:table|sequence)$/.test(kind) && (table === name || table === `${schema}.${name}`)
}

const nameOf = ({ schema, name }: ObjectName): string => (schema === undefined ? name : `${schema}.${name}`)

function hintFor(table: string, names: readonly string[]): string {
  if (names.length === 0) return 'It holds no tables at all.'
  const near = nearHint(table, names).trimEnd()
  if (near !== '') return near
  const more = names.length - namesInHint
  return `There are: ${names.slice(0, namesInHint).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}
