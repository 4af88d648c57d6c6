import { posix } from 'node:path'
import { withoutComments } from './checkout.js'

/** Source files by path, for example `packages/core/src/index.ts`. */
export type Sources = ReadonlyMap<string, string>

interface Arrow {
  readonly from: string
  readonly to: string
}

/** Core's layers from the bottom up: each may import itself and what stands before it. */
const layers = ['contracts', 'parts', 'layout', 'engine', 'facade', 'index'] as const
type Layer = (typeof layers)[number]

const contracts = new Set([
  'driver/driver.ts',
  'driver/child-output.ts',
  'storage/storage.ts',
  'storage/object-key.ts',
  'codec/codec.ts',
  'cipher/cipher.ts',
  'catalog/catalog.ts',
  'layout/manifest.ts',
])
const facade = new Set(['holdfast.ts', 'config.ts', 'verify-config.ts'])
const folders: Readonly<Record<string, Layer>> = {
  stream: 'parts',
  codec: 'parts',
  cipher: 'parts',
  driver: 'parts',
  storage: 'parts',
  catalog: 'parts',
  retention: 'parts',
  schedule: 'parts',
  notify: 'parts',
  layout: 'layout',
  engine: 'engine',
  foreign: 'engine',
  facade: 'facade',
}

/** Everything that is wrong with the imports of these files, one line each; none when all is well. */
export function wrongArrows(sources: Sources): string[] {
  const files = [...sources.keys()]
  const arrows = files.flatMap((from) => importsOf(sources.get(from) ?? '').map((to) => ({ from, to })))
  const inside = arrows.filter(({ to }) => to.startsWith('.')).map(({ from, to }) => ({ from, to: resolve(from, to) }))
  const code = inside.filter(({ from }) => !isTest(from))
  return [
    ...arrows.flatMap(betweenPackages),
    ...inside.flatMap(leavesPackage),
    ...code.flatMap(intoTesting),
    ...code.flatMap(upwardsInCore),
    ...cycles(code),
  ]
}

/** The specifiers that a source imports or re-exports, types too, static or dynamic. */
export function importsOf(source: string): string[] {
  const code = withoutComments(source)
  const statements = code.matchAll(/^\s*(?:import|export)\b[^'"`;=]*?\bfrom\s*['"]([^'"]+)['"]/gm)
  const bare = code.matchAll(/^\s*import\s*['"]([^'"]+)['"]/gm)
  const dynamic = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g)
  return [...statements, ...bare, ...dynamic].map((match) => match[1] ?? '')
}

function betweenPackages({ from, to }: Arrow): string[] {
  if (!/^(@holdfast\/|holdfast($|\/))/.test(to)) return []
  if (/\/(src|dist)(\/|$)/.test(to)) return [`${from} reaches into ${to}`]
  if (isTest(from)) return []
  const home = packageOf(from)
  // The CLI's `storage check` runs the public contract against a real bucket.
  const isKit = to.endsWith('/testing') && home !== 'cli'
  if (to === '@holdfast/test-support' || isKit) return [`${from} is no test and imports ${to}`]
  if (home === 'core') return [`${from}: core imports no other package of the workspace, yet it imports ${to}`]
  const mayUsePlugins = home === 'cli' || home === 'server'
  if (!mayUsePlugins && to !== '@holdfast/core') return [`${from}: a plugin imports @holdfast/core alone, not ${to}`]
  return []
}

function leavesPackage({ from, to }: Arrow): string[] {
  return packageOf(from) === packageOf(to) ? [] : [`${from} leaves its package: ${to}`]
}

function intoTesting({ from, to }: Arrow): string[] {
  return isTesting(to) && !isTesting(from) ? [`${from} is no test and imports ${to}`] : []
}

function upwardsInCore({ from, to }: Arrow): string[] {
  if (packageOf(from) !== 'core' || packageOf(to) !== 'core' || isTesting(from) || isTesting(to)) return []
  const [below, above] = [layerOf(from), layerOf(to)]
  if (below === undefined) return [`${from} belongs to no layer: name its folder in tests/unit/import-graph.ts`]
  if (above === undefined) return [`${to} belongs to no layer: name its folder in tests/unit/import-graph.ts`]
  return layers.indexOf(above) <= layers.indexOf(below) ? [] : [`${from} (${below}) imports ${to} (${above})`]
}

/** A file at the top of core belongs to the contracts, unless it is the facade or the index. */
function layerOf(file: string): Layer | undefined {
  const path = file.slice('packages/core/src/'.length)
  if (path === 'index.ts') return 'index'
  if (facade.has(path)) return 'facade'
  if (contracts.has(path) || !path.includes('/')) return 'contracts'
  return folders[path.split('/')[0] ?? '']
}

/** Each cycle once, named by the files on it. */
function cycles(arrows: readonly Arrow[]): string[] {
  const targets = Map.groupBy(arrows, ({ from }) => from)
  const finished = new Set<string>()
  const found: string[] = []
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file)
    if (start >= 0) found.push(`import cycle: ${[...trail.slice(start), file].join(' → ')}`)
    if (start >= 0 || finished.has(file)) return
    for (const { to } of targets.get(file) ?? []) visit(to, [...trail, file])
    finished.add(file)
  }
  for (const file of targets.keys()) visit(file, [])
  return found
}

function resolve(from: string, to: string): string {
  return posix.join(posix.dirname(from), to).replace(/\.js$/, '.ts')
}

function packageOf(file: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(file)?.[1]
}

function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || /\/src\/test-support\//.test(file)
}

function isTesting(file: string): boolean {
  return file.includes('/src/testing/')
}
