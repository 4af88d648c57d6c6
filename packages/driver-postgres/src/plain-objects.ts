import type { ByteStream } from '@holdfast/core'
import { filterScript } from './script-filter.js'

/** An object as the comments of a plain dump name it. */
export interface PlainObject {
  readonly tag: string
  /** As pg_dump calls it: `TABLE`, `TABLE DATA`, … */
  readonly kind: string
  readonly schema: string | undefined
  readonly owner: string | undefined
}

const heading = /^-- (Data for )?Name: (.*); Type: ([A-Z ]+); Schema: (.*); Owner: (.*?)(?:; Tablespace: .*)?$/gm

/**
 * Reads the headings of a plain dump. Names with line breaks are there with spaces, as pg_dump writes them.
 *
 * @param extent - `head`: stops where the data begin, so that a big dump is not read for what its beginning says.
 */
export async function objectsOfPlain(source: ByteStream, extent: 'head' | 'all'): Promise<readonly PlainObject[]> {
  const objects: PlainObject[] = []
  let inData = false
  const other = (text: string): void => {
    for (const [, data, tag = '', kind = '', schema, owner] of text.matchAll(heading)) {
      if (data) inData = true
      objects.push({ tag, kind, schema: given(schema), owner: given(owner) })
    }
  }
  // Scanned rather than searched: a row of a table may look like a heading.
  const script = filterScript(source, { statement: () => true, command: () => true, other })
  for await (const _ of script) if (inData && extent === 'head') break
  return objects
}

const given = (text: string | undefined): string | undefined => (text && text !== '-' ? text : undefined)
