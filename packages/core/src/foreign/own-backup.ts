import { BackupError, isBackupError } from '../backup-error.js'
import { readAll } from '../byte-stream.js'
import type { Manifest } from '../layout/manifest.js'
import { decodeManifest } from '../layout/manifest-file.js'
import type { RunContext } from '../run-context.js'
import type { Storage } from '../storage/storage.js'
import type { DumpFile } from './dump-file.js'

/** A backup of Holdfast, found by one of its files: the manifest, and a storage that reads what lies beside it. */
export interface OwnBackup {
  readonly manifest: Manifest
  readonly storage: Storage
}

/** `{database}_{type}_{yyyymmdd}_{hhmmss}_{id}.…`: docs/format.md. */
const grammar = /^(?<base>.+_(?:hourly|daily|weekly|monthly|custom|manual)_\d{8}_\d{6}_[0-9a-f]{8})\.(?<rest>.+)$/

/**
 * The backup that a file belongs to, if its manifest lies beside it and names it: then hashes are checked, and nothing
 * has to be guessed.
 *
 * @throws {BackupError} `manifest-invalid`, `manifest-too-new`.
 */
export async function ownBackupOf(file: DumpFile, ctx: RunContext): Promise<OwnBackup | undefined> {
  const { beside } = file
  const { base, rest } = grammar.exec(file.name)?.groups ?? {}
  if (beside === undefined || base === undefined) return undefined
  const name = `${base}.manifest.json`
  try {
    const manifest = decodeManifest(await readAll(beside(name, ctx)), `${name} beside ${file.display}`)
    const isOfIt = rest === 'manifest.json' || manifest.parts.some(({ key }) => nameOf(key) === file.name)
    return isOfIt ? { manifest, storage: filesBeside(file, beside) } : undefined
  } catch (error) {
    if (isBackupError(error, 'not-found')) return undefined
    throw error
  }
}

/** Files that were downloaded lie in one directory, whatever their keys were. */
function filesBeside({ display, name }: DumpFile, beside: NonNullable<DumpFile['beside']>): Storage {
  const refuse = async (): Promise<never> => {
    throw new BackupError('read-only', { message: `${display} is only read` })
  }
  return {
    name,
    display,
    isLocal: true,
    get: (key, _range, ctx) => beside(nameOf(key), ctx),
    put: refuse,
    stat: refuse,
    delete: refuse,
    // biome-ignore lint/correctness/useYield: it never comes to that
    async *list() {
      await refuse()
    },
  }
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1)
}
