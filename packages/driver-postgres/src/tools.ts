import { existsSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { askProgram, BackupError, pathDirectories, type VersionRoot, versionDirectories } from '@holdfast/core'

/** A client program of PostgreSQL. */
export type ToolName = 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'psql'

/** A program that was found. */
export interface Tool {
  readonly name: ToolName
  readonly path: string
  /** As it says it, for example `15.20 (Debian 15.20-0+deb12u1)`. */
  readonly version: string
  /** 15 of 15.20; 9.6 counts as 9. */
  readonly major: number
}

/** Where tools are found, apart from `PATH`. Newest first does not matter: the version decides. */
const versionRoots: readonly VersionRoot[] = [
  ['/usr/lib/postgresql', /^\d+(\.\d+)?$/],
  ['/usr', /^pgsql-\d+(\.\d+)?$/],
  ['/opt/homebrew/opt', /^(postgresql|libpq)(@\d+)?$/],
  ['/usr/local/opt', /^(postgresql|libpq)(@\d+)?$/],
  ['/home/linuxbrew/.linuxbrew/opt', /^(postgresql|libpq)(@\d+)?$/],
  ['/Library/PostgreSQL', /^\d+$/],
  ['/usr/libexec', /^postgresql\d+$/, '.'],
]

const asked = new Map<string, Promise<string | undefined>>()

/**
 * The smallest version of a program whose major is at least `atLeast`.
 *
 * @param binDir - Only look there.
 * @param needs - What it is for, for the message: `a PostgreSQL 17 server (db:5432/shop)`.
 * @throws {BackupError} `tool-missing`, `tool-too-old`.
 */
export async function chooseTool(
  name: ToolName,
  atLeast: number,
  binDir: string | undefined,
  needs: string,
): Promise<Tool> {
  // The directories of versions first: a program there answers fast, and a wrapper on the PATH (Debian has one in Perl)
  // need not be asked when the very version is there.
  const [nearest = [], ...others] = placesOf(binDir)
  const near = await versionsIn(nearest, name)
  const exact = near.find(({ major }) => major === atLeast)
  if (exact) return exact
  const tools = [...near, ...(await versionsIn(others.flat(), name))]
  const fitting = tools.filter(({ major }) => major >= atLeast)
  // Of equals the first found stays: directories of versions come before wrappers on the PATH.
  const chosen = fitting.reduce<Tool | undefined>(
    (best, tool) => (best && best.major <= tool.major ? best : tool),
    undefined,
  )
  if (chosen) return chosen
  throw noToolFits(name, atLeast, newestOf(tools), binDir, needs)
}

/** @param newest - Of those that are there. */
function noToolFits(
  name: ToolName,
  atLeast: number,
  newest: Tool | undefined,
  binDir: string | undefined,
  needs: string,
): BackupError {
  const hint = `Install it: apt-get install postgresql-client-${atLeast} (from apt.postgresql.org where the system has none), or set binDir (--bin-dir) to where it is.`
  if (newest) {
    return new BackupError('tool-too-old', {
      message: `${name} ${newest.version} is too old for ${needs}: version ${atLeast} or newer is needed`,
      hint,
    })
  }
  return new BackupError('tool-missing', {
    message: `${name} was not found${binDir ? ` in ${binDir}` : ''}; it is needed for ${needs}`,
    hint,
  })
}

/**
 * The newest version of a program on this machine.
 *
 * @throws {BackupError} `tool-missing`.
 */
export async function newestTool(name: ToolName, binDir: string | undefined, needs: string): Promise<Tool> {
  return newestOf(await findTools(name, binDir)) ?? (await chooseTool(name, 1, binDir, needs))
}

function newestOf(tools: readonly Tool[]): Tool | undefined {
  return tools.reduce<Tool | undefined>((best, tool) => (best && best.major >= tool.major ? best : tool), undefined)
}

/** Every version of a program on this machine, one per directory, in the order of the search. */
export async function findTools(name: ToolName, binDir?: string): Promise<readonly Tool[]> {
  return await versionsIn(placesOf(binDir).flat(), name)
}

/** One program that is found under several names is asked once. */
async function versionsIn(directories: readonly string[], name: ToolName): Promise<readonly Tool[]> {
  const paths = directories.map((directory) => join(directory, name)).filter((path) => existsSync(path))
  const once = new Map(paths.toReversed().map((path) => [realpathSync(path), path]))
  const found = paths.filter((path) => once.get(realpathSync(path)) === path).map((path) => describe(name, path))
  return (await Promise.all(found)).filter((tool) => tool !== undefined)
}

/** The major version in what a server or program says of itself: 15 of `15.20 (Debian …)`. */
export function majorOf(version: string): number {
  return Number.parseInt(/\d+/.exec(version)?.[0] ?? '', 10) || 0
}

/** Directories to search, nearest first. */
function placesOf(binDir: string | undefined): readonly (readonly string[])[] {
  if (binDir) return [[binDir]]
  const versioned = versionDirectories(versionRoots)
  const onPath = pathDirectories().filter((directory) => !versioned.includes(directory))
  return [[...new Set(versioned)], [...new Set(onPath)]]
}

/** @returns `undefined` for what is not a program of PostgreSQL, or does not run here. */
async function describe(name: ToolName, path: string): Promise<Tool | undefined> {
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? {}
  const key = `${path} ${mtimeMs}` // a daemon outlives upgrades of its tools
  const asking = asked.get(key) ?? askVersion(path)
  asked.set(key, asking)
  asking.catch(() => asked.delete(key)) // that it could not be asked says nothing about it
  const version = await asking
  return version === undefined ? undefined : { name, path, version, major: majorOf(version) }
}

/** `pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)` */
async function askVersion(path: string): Promise<string | undefined> {
  const says = await askProgram(path, ['--version'], { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' })
  return /\(PostgreSQL\) (.+)/.exec(says ?? '')?.[1]?.trim() || undefined
}
