import { BackupError } from '../backup-error.js'
import { type AsideKind, asideName, readAsideName } from '../driver/aside-names.js'
import type { AsideDatabase, Driver, Replaced, ScratchDatabase, SwapOptions } from '../driver/driver.js'
import type { RunContext } from '../run-context.js'
import type { MemoryDatabase } from './memory-database.js'

interface Place {
  readonly name: string
  readonly database: MemoryDatabase
  readonly beside: Map<string, MemoryDatabase>
  /** A driver for a database of this name. */
  bind(name: string, database: MemoryDatabase): Driver
}

const maxBytes = 63

/** {@link Driver.scratch} and {@link Driver.asides} over a map: how small they may be. */
export function memoryAsides(place: Place): Required<Pick<Driver, 'scratch' | 'asides'>> {
  const { name, database, beside, bind } = place
  const freeName = (kind: AsideKind, ctx: RunContext): string =>
    asideName(name, kind, ctx.clock.now(), maxBytes, (each) => beside.has(each))

  /** What stands beside under a name takes the place of the database. */
  const takePlace = (from: string, fresh: MemoryDatabase, { keepUntil }: SwapOptions, ctx: RunContext): Replaced => {
    const noted = keepUntil ? { keepUntil } : {}
    const old = database.content
    const oldName = old === undefined ? undefined : freeName('replaced', ctx)
    if (oldName !== undefined) beside.set(oldName, { content: old, ...noted })
    beside.delete(from)
    database.content = fresh.content
    return oldName === undefined ? {} : { oldName, ...noted }
  }

  return {
    async scratch(_options, ctx): Promise<ScratchDatabase> {
      ctx.signal.throwIfAborted()
      const scratchName = freeName('unfinished', ctx)
      const scratch: MemoryDatabase = { content: new Uint8Array() }
      beside.set(scratchName, scratch)
      let swapped = false
      return {
        driver: bind(scratchName, scratch),
        async swap(swapOptions, swapCtx) {
          swapCtx.signal.throwIfAborted()
          swapped = true
          return takePlace(scratchName, scratch, swapOptions, swapCtx)
        },
        async [Symbol.asyncDispose]() {
          if (swapped) return
          beside.delete(scratchName)
          scratch.content = undefined
        },
      }
    },

    async asides() {
      const found = [...beside].flatMap(([each, content]): AsideDatabase[] => {
        const read = readAsideName(each, name, maxBytes)
        if (!read) return []
        const drop = async (): Promise<void> => void beside.delete(each)
        const takeBack: AsideDatabase['takeBack'] = async (options, ctx) => {
          if (!beside.has(each)) throw new BackupError('source-missing', { message: `There is no ${each} any more` })
          return takePlace(each, content, options, ctx)
        }
        const sizeBytes = content.content?.byteLength ?? 0
        const { keepUntil } = content
        const noted = keepUntil ? { keepUntil } : {}
        return [{ name: each, ...read, ...noted, sizeBytes, drop, ...(read.kind === 'replaced' && { takeBack }) }]
      })
      return found.sort((a, b) => b.since.getTime() - a.since.getTime())
    },
  }
}
