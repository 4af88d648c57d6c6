import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runOrThrow } from '../lib/run.mjs'
import { cache, cached } from './cache.ts'
import { writeLaunchers } from './launchers.ts'

/** Programs of Debian's unstable suite that run on this system. */
export interface NewerPrograms {
  /** Server and client programs of PostgreSQL 18. */
  readonly postgres: string
  readonly mysql: DatabasePrograms
  readonly mariadb: DatabasePrograms
}

/** Where the programs of MySQL or MariaDB are, and what its server has to be told of them. */
export interface DatabasePrograms {
  /** Server and client programs. */
  readonly binDir: string
  /** Its `--basedir`. */
  readonly baseDir: string
  /** Its messages, and the statements that make its system tables. */
  readonly shareDir: string
}

const postgresBin = 'usr/lib/postgresql/18/bin'
const postgresElf = 'usr/lib/postgresql/18/programs'

/** MySQL's and MariaDB's packages refuse each other: each lies in a folder of its own. */
const groups = [
  { packages: ['postgresql-18', 'postgresql-client-18'], own: /^$/ },
  { packages: ['mysql-server-core', 'mysql-client-core'], own: /^mysql-/ },
  { packages: ['mariadb-server-core', 'mariadb-client'], own: /^mariadb-/ },
] as const

/** Makes the tree of the unstable suite, unless it is there: about a minute and 900 MB. */
export async function newerPrograms(): Promise<NewerPrograms> {
  const recipe = JSON.stringify(['1', groups.map(({ packages }) => packages)])
  const tree = await cached('debian', recipe, makeTree)
  return {
    postgres: join(tree, postgresBin),
    mysql: programsOf(tree, 'mysql'),
    mariadb: programsOf(tree, 'mariadb'),
  }
}

function programsOf(tree: string, name: 'mysql' | 'mariadb'): DatabasePrograms {
  const baseDir = join(tree, 'opt', name, 'usr')
  return { binDir: join(tree, 'starters', name), baseDir, shareDir: join(baseDir, 'share', name) }
}

async function makeTree(folder: string): Promise<void> {
  rmSync(folder, { recursive: true })
  await runOrThrow('debootstrap', ['--variant=minbase', 'unstable', folder, await mirror()])
  for (const { packages, own } of groups) await unpack(folder, packages, own)
  const archives = join(folder, 'var/cache/apt/archives')
  for (const file of debs(archives)) rmSync(join(archives, file))
  // Starters say where the tree will be, not where it is being made.
  const tree = join(cache, 'debian')
  renameSync(join(folder, postgresBin), join(folder, postgresElf))
  writeLaunchers(join(folder, postgresBin), tree, programsIn(folder, postgresElf))
  for (const name of ['mysql', 'mariadb']) {
    const programs = [`opt/${name}/usr/sbin`, `opt/${name}/usr/bin`].flatMap((path) => programsIn(folder, path))
    writeLaunchers(join(folder, 'starters', name), tree, programs)
  }
}

/** Downloads packages with all that they need, and unpacks them without setting anything up. */
async function unpack(tree: string, packages: readonly string[], own: RegExp): Promise<void> {
  const archives = join(tree, 'var/cache/apt/archives')
  const before = new Set(debs(archives))
  const flags = ['-q', '-y', '--no-install-recommends', '--download-only']
  await runOrThrow('chroot', [tree, 'apt-get', 'install', ...flags, ...packages])
  for (const file of debs(archives).filter((name) => !before.has(name))) {
    const name = own.exec(file)?.[0].slice(0, -1)
    const into = name ? join(tree, 'opt', name) : tree
    mkdirSync(into, { recursive: true })
    await runOrThrow('dpkg-deb', ['-x', join(archives, file), into])
  }
}

function debs(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.deb')) : []
}

/** The address that this machine's own apt takes Debian from. */
async function mirror(): Promise<string> {
  const format = '$(ORIGIN)|$(LABEL)|$(REPO_URI)'
  const output = await runOrThrow('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const lines = output.split('\n').map((line) => line.split('|'))
  const found = lines.find(([origin, label]) => origin === 'Debian' && label === 'Debian')?.[2]
  if (!found) throw new Error('apt knows no mirror of Debian: run apt-get update, or this is not a Debian system.')
  return found
}

/** Paths of the programs in a folder, below the tree. Links among them are other names of the same programs. */
function programsIn(tree: string, folder: string): string[] {
  return readdirSync(join(tree, folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && isElf(join(tree, folder, entry.name)))
    .map((entry) => join(folder, entry.name))
}

function isElf(path: string): boolean {
  const head = Buffer.alloc(4)
  const file = openSync(path, 'r')
  try {
    readSync(file, head, 0, 4, 0)
    return head.toString('latin1') === '\x7fELF'
  } finally {
    closeSync(file)
  }
}
