import { lstatSync } from 'node:fs'
import { lstat, readFile, rm, writeFile } from 'node:fs/promises'
import { processMark, processState } from '@holdfast/core'

/**
 * What stands in a small file beside every file that a restore makes: `app.db__before_6920a1b2-mark`. The name of a file
 * alone proves nothing: anybody may have made one of that name, and names of two databases that are cut to what fits
 * look the same. The mark is there before its file, and goes after it.
 */
export interface AsideMark {
  /** Name of the database that the file belongs to. */
  readonly beside: string
  /** The process that made it; see {@link processMark}. */
  readonly maker: string
  /** Of what was replaced: until when it is meant to be kept. */
  readonly keepUntil?: Date | undefined
  /** Whether the database was in WAL mode: a restore that is killed may leave it without. */
  readonly wal?: boolean
}

const note = 'A restore of Holdfast made the file of this name without -mark; holdfast restore cleanup removes both.'

/** Where the mark of a file is. */
export const markOf = (path: string): string => `${path}-mark`

/** The name of the file that a mark is for; `undefined` where `name` is no mark's. */
export const markedName = (name: string): string | undefined => (name.endsWith('-mark') ? name.slice(0, -5) : undefined)

/** Marks a file that is about to be made, durably. Throws `EEXIST` where another one has the name. */
export async function writeMark(path: string, mark: Omit<AsideMark, 'maker'>): Promise<void> {
  const text = `${JSON.stringify({ note, maker: processMark(), ...mark })}\n`
  try {
    await writeFile(markOf(path), text, { flag: 'wx', mode: 0o600, flush: true })
  } catch (error) {
    // On a full disk, there is an empty one.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') await rm(markOf(path), { force: true })
    throw error
  }
}

/** The mark of a file beside a database; `undefined` where there is none. */
export async function readMark(path: string, beside: string): Promise<AsideMark | undefined> {
  try {
    const text = await readFile(markOf(path), 'utf8')
    // Whoever made it was killed there and then, and has not made the file.
    if (text === '' && !lstatSync(path, { throwIfNoEntry: false })) return { beside, maker: '' }
    const { note: said, maker, keepUntil, wal, ...found } = JSON.parse(text) as Record<string, unknown>
    if (said !== note || found.beside !== beside || typeof maker !== 'string') return undefined
    return {
      beside,
      maker,
      wal: wal === true,
      ...(typeof keepUntil === 'string' && { keepUntil: new Date(keepUntil) }),
    }
  } catch {
    return undefined // gone meanwhile, or of somebody else
  }
}

const dayMs = 86_400_000

/**
 * Whether the restore that made a file is over. Of one on another machine that shares the disk, or in another
 * container, that is so when nothing of it was touched for a day.
 */
export async function isAbandoned(path: string, { maker }: AsideMark, now: Date): Promise<boolean> {
  const state = processState(maker)
  if (state !== 'unknown') return state === 'gone'
  const touched = await Promise.all([path, markOf(path)].map((each) => lstat(each).catch(() => undefined)))
  return touched.every((stats) => stats === undefined || now.getTime() - stats.mtimeMs > dayMs)
}
