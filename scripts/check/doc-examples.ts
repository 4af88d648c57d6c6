import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../lib/root.mjs'
import { run } from '../lib/run.mjs'
import { filesBelow } from '../lib/stamp.mjs'
import { publicPackages, readJson } from '../lib/workspace.mjs'
import { codeBlocks, exampleBlocks } from './code-blocks.ts'

const work = join(root, '.cache/doc-examples')

/**
 * Typechecks every TypeScript block of the Markdown files and every TSDoc `@example`, each as a module of its own
 * against the packages' sources. A block marked `ts ignore` is left out: it is a fragment.
 *
 * @throws {Error} With the compiler's findings; a file's name there tells where the block stands.
 */
export async function checkDocExamples(): Promise<void> {
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const count = writeExamples()
  if (count === 0) throw new Error('There is no example to compile.')
  writeFileSync(join(work, 'tsconfig.json'), JSON.stringify(compilerConfig(), undefined, 2))
  const { code, output } = await run('tsc', ['-p', work], { quiet: true, timeoutMs: 300_000 })
  if (code !== 0) throw new Error(`${output.trimEnd()}\n${count} examples were compiled; see .cache/doc-examples`)
}

function writeExamples(): number {
  let count = 0
  const write = (source: string, blocks: readonly { line: number; code: string }[]) => {
    for (const { line, code } of blocks) {
      const name = `${source.replaceAll('/', '__')}__line-${line}.ts`
      writeFileSync(join(work, name), `${code}\nexport {}\n`)
      count++
    }
  }
  for (const file of markdownFiles()) write(file, codeBlocks(readFileSync(join(root, file), 'utf8')))
  for (const file of publicPackages().flatMap((folder) =>
    filesBelow(`${folder}/src`, (path) => path.endsWith('.ts')),
  )) {
    write(file, exampleBlocks(readFileSync(join(root, file), 'utf8')))
  }
  return count
}

function markdownFiles(): string[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'))
  const readmes = publicPackages().map((folder) => `${folder}/README.md`)
  const docs = filesBelow('docs', (path) => path.endsWith('.md'))
  return [...top, ...docs, ...readmes.filter((file) => existsSync(join(root, file)))]
}

function compilerConfig(): object {
  return {
    extends: '../../tsconfig.base.json',
    compilerOptions: {
      noEmit: true,
      allowImportingTsExtensions: true, // a source that starts another as a program of its own
      declaration: false,
      isolatedDeclarations: false,
      noUnusedLocals: false,
      noUnusedParameters: false,
      customConditions: ['holdfast-source'],
      paths: Object.fromEntries(publicPackages().flatMap(sourcesOf)),
    },
    include: ['*.ts'],
  }
}

/** Where each entry of a package has its source, so that an example may import what the package itself does not. */
function sourcesOf(folder: string): [string, string[]][] {
  const manifest = readJson(`${folder}/package.json`) as {
    name: string
    exports: Record<string, { 'holdfast-source'?: string }>
  }
  return Object.entries(manifest.exports).flatMap(([entry, { 'holdfast-source': source }]) =>
    source === undefined ? [] : [[join(manifest.name, entry), [join(root, folder, source)]]],
  )
}
