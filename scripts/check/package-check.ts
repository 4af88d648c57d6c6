import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../lib/root.mjs'
import { run } from '../lib/run.mjs'

interface PackedManifest {
  readonly files?: readonly string[]
  readonly exports?: unknown
}

/**
 * Packs a package as it would be published (so that `publishConfig` counts) and looks at the tarball: publint, attw,
 * every declared file there, and nothing that belongs to the workspace alone.
 *
 * @throws {Error} With all findings.
 */
export async function checkPackage(folder: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'holdfast-pack-'))
  try {
    await must('pnpm', ['pack', '--pack-destination', work], join(root, folder))
    const name = readdirSync(work).find((file) => file.endsWith('.tgz'))
    if (name === undefined) throw new Error(`pnpm pack made no tarball of ${folder}`)
    const tarball = join(work, name)
    await must('tar', ['-xzf', tarball, '-C', work])
    checkFiles(join(work, 'package'))
    await must('publint', ['run', tarball, '--strict'])
    await must('attw', [tarball, '--profile', 'esm-only', '--no-emoji'])
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function checkFiles(unpacked: string): void {
  const manifest = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8')) as PackedManifest
  const declared = [...new Set([...(manifest.files ?? []), 'LICENSE', 'README.md'])]
  const problems = declared
    .filter((file) => !existsSync(join(unpacked, file)))
    .map((file) => `the tarball has no ${file}`)
  const text = JSON.stringify(manifest)
  if (text.includes('holdfast-source')) problems.push('exports still name the sources (publishConfig.exports?)')
  if (text.includes('workspace:')) problems.push('a dependency still says workspace:')
  const stray = readdirSync(unpacked, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.test\.|^src\//.test(file),
  )
  problems.push(...stray.map((file) => `the tarball holds ${file}`))
  if (problems.length > 0) throw new Error(problems.join('\n'))
}

async function must(command: string, args: readonly string[], cwd: string = root): Promise<void> {
  const { code, output } = await run(command, args, { cwd, quiet: true, timeoutMs: 120_000 })
  if (code !== 0) throw new Error(`${output.trimEnd()}\n${command} ${args.join(' ')} ended with code ${code}`)
}
