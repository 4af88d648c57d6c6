import { readFileSync } from 'node:fs'

/** Version of the package, read from beside the program so that `--version` loads nothing else. */
export function ownVersion(): string {
  const file = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
