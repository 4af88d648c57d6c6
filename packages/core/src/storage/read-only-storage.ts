import { BackupError } from '../backup-error.js'
import { named } from './named-storage.js'
import type { Storage } from './storage.js'
import { withBody } from './with-body.js'

/** A storage that can be read, and nothing else: puts and deletes throw `read-only`, and nothing is swept. */
export function readOnly(storage: Storage): Storage {
  const refuse = async (doing: string): Promise<never> => {
    throw new BackupError('read-only', {
      message: `${doing} was refused: the storage ${storage.name} is open for reading only`,
      hint: 'Use the storage without readOnly where backups are written or deleted.',
    })
  }
  const { sweepUnfinished: _, ...readable } = named(storage, storage.name)
  return {
    ...readable,
    put: (key, body, _options, ctx) => withBody(body, ctx.signal, () => refuse(`Writing ${key}`)),
    delete: (key) => refuse(`Deleting ${key}`),
  }
}
