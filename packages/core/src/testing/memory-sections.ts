import { createHash } from 'node:crypto'
import type { ByteStream } from '../byte-stream.js'
import type { Driver, DumpSection } from '../driver/driver.js'

/** A line that begins a section, for example `= rows of orders (id, note)` or `= index by_note`. */
const heading = /^= (?<name>.*?)(?: \((?<columns>.*)\))?$/

interface TextSection {
  readonly name: string
  readonly columns: readonly string[] | undefined
  readonly lines: string[]
}

/**
 * {@link Driver.sections} and {@link Driver.rows} of a content that is text with headings. A section is of rows where
 * its heading says so or there is none, of placement where it begins with `owner`.
 */
export function memorySections(): Required<Pick<Driver, 'sections' | 'rows'>> {
  return {
    async sections(_part, body, _ctx, { unordered } = {}) {
      return (await read(body)).map(({ name, columns, lines }): DumpSection => {
        const text = (unordered?.has(name) ? lines.toSorted() : lines).join('\n')
        return {
          name,
          kind: name.startsWith('rows of ') ? 'rows' : name.startsWith('owner ') ? 'placement' : 'schema',
          sha256: createHash('sha256').update(text).digest('hex'),
          ...(columns && { columns }),
        }
      })
    },
    async *rows(_part, body, section) {
      const found = (await read(body)).find(({ name, columns }) => name === section && columns)
      for (const line of found?.lines ?? []) yield Buffer.from(line)
    },
  }
}

async function read(body: ByteStream): Promise<readonly TextSection[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  const sections: TextSection[] = []
  let current: TextSection | undefined
  for (const line of Buffer.concat(chunks).toString('latin1').split('\n')) {
    const found = heading.exec(line)?.groups
    if (found || !current) {
      current = {
        name: found?.name ?? 'rows of bytes',
        columns: found?.columns?.split(', '),
        lines: found ? [] : [line],
      }
      sections.push(current)
    } else {
      current.lines.push(line)
    }
  }
  return sections
}
