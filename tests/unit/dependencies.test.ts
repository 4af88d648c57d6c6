import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { filesOf, textOf } from './checkout.js'

/** One row of docs/dependencies.md: `| dependency | used by | licence | reason |`. */
interface Row {
  readonly name: string
  readonly usedBy: readonly string[]
  readonly licence: string
  readonly reason: string
}

const manifests = filesOf('package.json', 'packages/*/package.json', 'tests/*/package.json', 'bench/package.json')

function rows(markdown: string): Row[] {
  return [...markdown.matchAll(/^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map((match) => ({
    name: match[1] ?? '',
    usedBy: (match[2] ?? '').trim().split(/,\s*/),
    licence: (match[3] ?? '').trim(),
    reason: (match[4] ?? '').trim(),
  }))
}

/** The dependencies from outside the workspace, by the folder of the package: `packages/core` is `core`, the root `root`. */
function declared(file: string): { usedBy: string; names: string[] } {
  const manifest = JSON.parse(textOf(file)) as Record<string, Record<string, string> | undefined>
  const groups = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies']
  const names = groups.flatMap((group) => Object.entries(manifest[group] ?? {}))
  const outside = names.filter(([, range]) => !range.startsWith('workspace:')).map(([name]) => name)
  return { usedBy: file === 'package.json' ? 'root' : (dirname(file).split('/').at(-1) ?? ''), names: outside }
}

/** What the installed package itself says of its licence. */
function installedLicence(name: string, manifest: string): unknown {
  const folders = createRequire(join(process.cwd(), manifest)).resolve.paths(name) ?? []
  for (const folder of folders) {
    try {
      const { license, licenses } = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')) as {
        readonly license?: unknown
        readonly licenses?: readonly { readonly type?: unknown }[] // as it was written long ago
      }
      return license ?? licenses?.[0]?.type
    } catch {
      // Not in this folder: the next one up.
    }
  }
  return undefined
}

describe('docs/dependencies.md', () => {
  const table = rows(textOf('docs/dependencies.md'))
  const listed = table.flatMap(({ name, usedBy }) => usedBy.map((user) => `${user}: ${name}`))
  const used = manifests.map(declared).flatMap(({ usedBy, names }) => names.map((name) => `${usedBy}: ${name}`))

  it('has a row for every dependency of every package, and none for what is not used', () => {
    expect(listed.sort()).toEqual(used.sort())
  })

  it('gives a reason for each', () => {
    expect(table.filter(({ reason }) => reason.length < 10)).toEqual([])
  })

  it('names the licence that the package itself names', () => {
    for (const manifest of manifests) {
      for (const name of declared(manifest).names) {
        const row = table.find((candidate) => candidate.name === name)
        expect(`${name}: ${row?.licence}`).toBe(`${name}: ${installedLicence(name, manifest)}`)
      }
    }
  })
})
