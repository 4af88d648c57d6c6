import { BackupError } from '../backup-error.js'
import type { DatabaseInfo, Driver, RestoreMode, RestoreRequest } from '../driver/driver.js'
import { type Assertion, requireQuery } from './assertions.js'

/**
 * What to do with what is in the target.
 * - `create`: the database is made if it does not exist; if it exists it must be empty. Default there.
 * - `staged`: restored beside it and checked, then the two change places. The old one stays for a while. Default
 *   where the target holds data, and the backup all of a database.
 * - `replace`: as `staged`, and the old one is dropped at the end.
 * - `clean`: in place: objects of the backup are dropped and made again, in one transaction.
 * - `append`: in place: objects that are missing are made, rows are added, nothing is dropped, in one transaction.
 */
export type RestoreWay = RestoreMode | 'staged' | 'replace'

/** What a restore asks for, as far as the way depends on it. */
export interface WayRequest extends Pick<RestoreRequest, 'tables' | 'sections'> {
  readonly mode?: RestoreWay
  readonly assertions?: readonly Assertion[]
}

/** The request for one backup. */
interface WayQuestion extends WayRequest {
  /** Whether the backup holds some of its database only: that takes the place of a whole one only if it is told to. */
  readonly ofPart: boolean
}

/** The way that a restore takes. */
export interface ChosenWay {
  readonly way: RestoreWay
  /** Whether it is restored into a scratch first, which is swapped in. */
  readonly aside: boolean
  /** Whether what was there before stays, under another name. */
  readonly keepsOld: boolean
}

/** Whether a scratch can take the place of the driver's database. */
const canSwap = ({ scratch, asides }: Driver): boolean => scratch !== undefined && asides !== undefined

/**
 * Chooses how to restore.
 *
 * @param database - The target as it is; `undefined` if it does not exist.
 * @throws {BackupError} `target-not-empty` where nothing was asked for and nothing is safe; `restore-refused`,
 *   `config-invalid` for what cannot be.
 */
export function chooseWay(target: Driver, request: WayQuestion, database: DatabaseInfo | undefined): ChosenWay {
  const holdsData = database !== undefined && !database.empty
  const way = request.mode ?? defaultWay(target, request, holdsData ? database : undefined)
  const asserts = (request.assertions?.length ?? 0) > 0
  requireQuery(request.assertions, target)
  if (way === 'clean' || way === 'append') {
    if (asserts) throw noScratchFor(`a restore with mode ${way}`)
    return { way, aside: false, keepsOld: false }
  }
  if (way === 'create' || !holdsData) {
    if (way === 'create' && holdsData) throw notEmpty(target, request, database)
    if (asserts && !canSwap(target)) throw noScratchFor(`a restore by the driver of ${target.display}`)
    return { way: 'create', aside: asserts, keepsOld: false }
  }
  if (isPart(request)) {
    throw new BackupError('restore-refused', {
      message:
        'A part of a backup cannot take the place of a database: the rest of what the database holds would be lost',
      hint: 'Restore the part with mode clean or append, or into another database.',
    })
  }
  if (!canSwap(target)) {
    throw new BackupError('restore-refused', {
      message: `The driver of ${target.display} cannot put a restored database in the place of another`,
      hint: 'Restore with mode clean or append, or into another database.',
    })
  }
  return { way, aside: true, keepsOld: way === 'staged' }
}

/** @param filled - The target, where it holds data. */
function defaultWay(target: Driver, request: WayQuestion, filled: DatabaseInfo | undefined): RestoreWay {
  if (!filled) return 'create'
  if (canSwap(target) && !isPart(request) && !request.ofPart) return 'staged'
  throw notEmpty(target, request, filled)
}

function isPart({ tables, sections = 'all' }: WayRequest): boolean {
  return tables !== undefined || sections !== 'all'
}

function notEmpty(target: Driver, request: WayQuestion, { tables }: DatabaseInfo): BackupError {
  const ways =
    canSwap(target) && !isPart(request)
      ? 'staged (restore beside it, then change places), replace (the same, and drop the old one), '
      : ''
  const part = request.ofPart ? 'The backup holds a part of its database, and nothing else would be left here. ' : ''
  return new BackupError('target-not-empty', {
    message: `${target.display} exists and holds ${tables} ${tables === 1 ? 'table' : 'tables'}`,
    hint: `${part}Say with mode (--mode) what to do with it: ${ways}clean (drop and make again what the backup holds) or append; or name another database.`,
  })
}

function noScratchFor(what: string): BackupError {
  return new BackupError('config-invalid', {
    message: `Assertions are looked at before anything takes the place of the target, which ${what} does not do`,
    hint: 'Restore with mode staged, or without assertions.',
  })
}
