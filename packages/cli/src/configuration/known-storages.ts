import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Catalog, type Logger, memoryCatalog, messageOf, type Storage } from '@holdfast/core'
import type { World } from '../world.js'
import { ownEntry } from './own-entry.js'

/** Places remembered; the ones used longest ago are forgotten, as those of tests and of disks that are gone. */
const keptPlaces = 1_000

interface Known {
  readonly id: string
  /** When it was first seen, UTC. */
  readonly since: string
}
type KnownStorages = Readonly<Record<string, Known>>

/**
 * Where this user's commands remember which storage is which: `storages.json` beside the catalog of DATABASE_PATH, else
 * in the state directory of the XDG Base Directory specification.
 *
 * @returns `undefined` where there is neither.
 */
export function knownStoragesFile({ env, cwd }: Pick<World, 'env' | 'cwd'>): string | undefined {
  if (env.DATABASE_PATH) return join(dirname(resolve(cwd, env.DATABASE_PATH)), 'storages.json')
  const state = env.XDG_STATE_HOME || (env.HOME && join(env.HOME, '.local/state'))
  return state ? join(state, 'holdfast/storages.json') : undefined
}

/**
 * A catalog for one command, which remembers the identities of storages from one command to the next: a directory on
 * which a volume should be mounted, and is not, is refused.
 *
 * @param storages - By name; what is remembered goes by their places, as names mean other places elsewhere.
 */
export function commandCatalog(
  world: Pick<World, 'env' | 'cwd'>,
  storages: Readonly<Record<string, Storage>>,
  log: Logger,
): Catalog {
  const memory = memoryCatalog()
  const file = knownStoragesFile(world)
  if (file === undefined) return memory
  const placeOf = (name: string): string => ownEntry(storages, name)?.display ?? name
  return {
    ...memory,
    async storageIdentity(name) {
      return ownEntry(readKnown(file, log), placeOf(name))?.id ?? (await memory.storageIdentity(name))
    },
    async rememberStorageIdentity(name, id) {
      await memory.rememberStorageIdentity(name, id)
      try {
        remember(file, placeOf(name), id, log)
      } catch (error) {
        log.debug(`Which storage ${name} is cannot be remembered in ${file}: ${messageOf(error)}`)
      }
    },
  }
}

/** Forgets a place, so that whatever lies there now is taken for what it is. Returns whether it was known. */
export function forgetStorage(file: string, place: string, log: Logger): boolean {
  const { [place]: known, ...others } = readKnown(file, log)
  if (known) write(file, others)
  return known !== undefined
}

/** Whether identities can be remembered: tried by writing what is known already. */
export function checkKnownStorages(file: string, log: Logger): string | undefined {
  try {
    write(file, readKnown(file, log))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

function remember(file: string, place: string, id: string, log: Logger): void {
  const { [place]: _, ...others } = readKnown(file, log)
  const kept = Object.entries(others).slice(1 - keptPlaces)
  write(file, { ...Object.fromEntries(kept), [place]: { id, since: new Date().toISOString() } })
}

/** What cannot be read is as if nothing were known: a guard that is lost must not stop backups. */
function readKnown(file: string, log: Logger): KnownStorages {
  try {
    const { storages } = JSON.parse(readFileSync(file, 'utf8')) as { storages?: unknown }
    if (typeof storages === 'object' && storages !== null) return storages as KnownStorages
    throw new SyntaxError('it holds no storages')
  } catch (error) {
    const tell = error instanceof SyntaxError ? log.warn : log.debug // the rest is doctor's to tell
    tell(`${file} cannot be read: ${messageOf(error)}`)
    return {}
  }
}

/** Whole or not at all, and for its owner alone. */
function write(file: string, storages: KnownStorages): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const unfinished = `${file}.${randomBytes(4).toString('hex')}`
  try {
    writeFileSync(unfinished, `${JSON.stringify({ formatVersion: 1, storages }, undefined, 2)}\n`, {
      mode: 0o600,
      flush: true,
    })
    chmodSync(unfinished, 0o600)
    renameSync(unfinished, file)
  } finally {
    rmSync(unfinished, { force: true })
  }
}
