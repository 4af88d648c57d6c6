import type { ByteStream } from '@holdfast/core'
import { dataKinds } from './entry-kinds.js'
import { filterScript } from './script-filter.js'

/** An object as the comments of a plain dump name it. */
export interface PlainObject {
  readonly tag: string
  /** As pg_dump calls it: `TABLE`, `TABLE DATA`, … */
  readonly kind: string
  readonly schema: string | undefined
  readonly owner: string | undefined
}

const heading = /^-- (?:Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: (.*?)(?:; Tablespace: .*)?$/gm

/**
 * Reads the headings of a plain dump. Names with line breaks are there with spaces, as pg_dump writes them.
 *
 * @param extent - `head`: stops where the data begin, so that a big dump is not read for what its beginning says.
 */
export async function objectsOfPlain(source: ByteStream, extent: 'head' | 'all'): Promise<readonly PlainObject[]> {
  const objects: PlainObject[] = []
  let inData = false
  const other = (text: string): void => {
    const found = headingsIn(text)
    if (found.some(({ kind }) => dataKinds.has(kind))) inData = true
    objects.push(...found)
  }
  // Scanned rather than searched: a row of a table may look like a heading.
  const script = filterScript(source, { statement: () => true, command: () => true, other })
  for await (const _ of script) if (inData && extent === 'head') break
  return objects
}

/** The headings in a comment of a plain dump. */
export function headingsIn(text: string): readonly PlainObject[] {
  return [...text.matchAll(heading)].map(([, tag = '', kind = '', schema, owner]) => {
    return { tag, kind, schema: given(schema), owner: given(owner) }
  })
}

const given = (text: string | undefined): string | undefined => (text && text !== '-' ? text : undefined)
