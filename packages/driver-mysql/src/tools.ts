import { existsSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { askProgram, BackupError, pathDirectories, type VersionRoot, versionDirectories } from '@holdfast/core'
import { unfitness } from './other-flavour.js'
import { type Flavour, type Server, serverName, versionNumber } from './server.js'

/** What a program is for. Its name depends on the flavour. */
export type ToolName = 'dump' | 'client'

/** A program that was found. */
export interface Tool {
  /** As it is called: `mariadb-dump`, `mysqldump`, `mariadb`, `mysql`. */
  readonly name: string
  readonly path: string
  /** For example `10.11.19` or `9.7.0`. */
  readonly version: string
  readonly number: number
  /** By what it says of itself: Alpine's and Debian's `mysqldump` is MariaDB's. */
  readonly flavour: Flavour
  /** Whether its help names an option, for example `sandbox`. */
  knows(option: string): boolean
}

const programs: Readonly<Record<ToolName, readonly string[]>> = {
  dump: ['mariadb-dump', 'mysqldump'],
  client: ['mariadb', 'mysql'],
}

/** Where tools are found, apart from `PATH`. */
const versionRoots: readonly VersionRoot[] = [
  ['/opt/homebrew/opt', /^(mysql|mysql-client|mariadb)(@[\d.]+)?$/],
  ['/usr/local/opt', /^(mysql|mysql-client|mariadb)(@[\d.]+)?$/],
  ['/home/linuxbrew/.linuxbrew/opt', /^(mysql|mysql-client|mariadb)(@[\d.]+)?$/],
  ['/usr/local', /^(mysql|mariadb)(-.*)?$/],
  ['/opt', /^(mysql|mariadb)(-.*)?$/],
]

const asked = new Map<string, Promise<Tool | undefined>>()

/**
 * The program that fits a server best: of its own flavour and, of those, the smallest version that is not older than
 * the server; else the newest of its flavour; else the newest of the other flavour that can do it.
 *
 * @param binDir - Only look there.
 * @param ownColumns - What the dump holds that only programs of the server's flavour can write.
 * @throws {BackupError} `tool-missing`, `tool-too-old`.
 */
export async function chooseTool(
  name: ToolName,
  server: Server,
  binDir: string | undefined,
  ownColumns: readonly string[] = [],
): Promise<Tool> {
  const tools = await findTools(name, binDir)
  const own = tools.filter(({ flavour }) => flavour === server.flavour)
  const whyNot = (tool: Tool): string | undefined => unfitness(name, tool, server, ownColumns)
  const chosen =
    smallest(own.filter(({ number }) => series(number) >= series(server.number))) ??
    newest(own) ??
    newest(tools.filter((tool) => whyNot(tool) === undefined))
  if (!chosen) throw toolMissing(name, server, binDir, tools.map(whyNot)[0])
  // A dump program asks the server's catalog: one of an older major leaves out what it does not know, without a word.
  const tooOld = name === 'dump' && chosen.flavour === server.flavour && major(chosen.number) < major(server.number)
  if (tooOld) throw toolTooOld(chosen, server)
  return chosen
}

/** Every program of a kind on this machine, in the order of the search. One that has several names is listed once. */
export async function findTools(name: ToolName, binDir?: string): Promise<readonly Tool[]> {
  const paths = placesOf(binDir).flatMap((directory) => programs[name].map((program) => join(directory, program)))
  const there = paths.filter((path) => existsSync(path))
  const once = new Map(there.toReversed().map((path) => [realpathSync(path), path]))
  const found = there.filter((path) => once.get(realpathSync(path)) === path).map(describe)
  return (await Promise.all(found)).filter((tool) => tool !== undefined)
}

/** 10.11 of 10.11.19: patch levels do not matter. */
const series = (number: number): number => Math.floor(number / 100)
const major = (number: number): number => Math.floor(number / 10_000)

function smallest(tools: readonly Tool[]): Tool | undefined {
  return tools.reduce<Tool | undefined>((best, tool) => (best && best.number <= tool.number ? best : tool), undefined)
}

function newest(tools: readonly Tool[]): Tool | undefined {
  return tools.reduce<Tool | undefined>((best, tool) => (best && best.number >= tool.number ? best : tool), undefined)
}

function placesOf(binDir: string | undefined): readonly string[] {
  if (binDir) return [binDir]
  return [...new Set([...versionDirectories(versionRoots), ...pathDirectories()])]
}

function describe(path: string): Promise<Tool | undefined> {
  const key = `${path} ${statSync(path).mtimeMs}` // a daemon outlives upgrades of its tools
  const asking = asked.get(key) ?? ask(path)
  asked.set(key, asking)
  asking.catch(() => asked.delete(key)) // that it could not be asked says nothing about it
  return asking
}

/**
 * `mariadb-dump  Ver 10.19 Distrib 10.11.19-MariaDB, for …`, `mariadb from 11.8.2-MariaDB, client 15.2 …`,
 * `mysqldump  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)`.
 */
async function ask(path: string): Promise<Tool | undefined> {
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8' }
  const says = await askProgram(path, ['--no-defaults', '--version'], env)
  const version = /(?:Distrib|from|Ver) (\d+\.\d+\.\d+)/.exec(says ?? '')?.[1]
  if (says === undefined || !version) return undefined // not such a program, or one that does not run here
  const help = await askProgram(path, ['--no-defaults', '--help'], env)
  if (help === undefined) return undefined
  const options = new Set(help.match(/--[a-z][a-z-]*/g) ?? [])
  const name = path.slice(path.lastIndexOf('/') + 1)
  const flavour = /mariadb/i.test(says) ? 'mariadb' : 'mysql'
  const knows = (option: string): boolean => options.has(`--${option}`)
  return { name, path, version, number: versionNumber(version), flavour, knows }
}

function installLine(server: Server): string {
  const { flavour } = server
  return flavour === 'mariadb'
    ? 'Install it: apt-get install mariadb-client (from mariadb.org where the system has an older one), or set binDir (--bin-dir) to where it is.'
    : 'Install it: apt-get install mysql-client (from repo.mysql.com where the system has none), or set binDir (--bin-dir) to where it is.'
}

function toolMissing(
  name: ToolName,
  server: Server,
  binDir: string | undefined,
  whyNotAnother: string | undefined,
): BackupError {
  const [mariadb, mysql] = programs[name]
  const wanted = server.flavour === 'mariadb' ? mariadb : mysql
  return new BackupError('tool-missing', {
    message: `${wanted} was not found${binDir ? ` in ${binDir}` : ''}; it is needed for a ${serverName(server)} server${whyNotAnother ? `; ${whyNotAnother}` : ''}`,
    hint: installLine(server),
  })
}

function toolTooOld(tool: Tool, server: Server): BackupError {
  return new BackupError('tool-too-old', {
    message: `${tool.name} ${tool.version} (${tool.path}) is too old for a ${serverName(server)} server`,
    hint: installLine(server),
  })
}
