import { existsSync, rmdirSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import type { Storage } from '@holdfast/core'

/**
 * Takes away again, when it is disposed of, the directory of a storage and those above it that are not there yet, where
 * they are empty then.
 */
export function directoriesToMake({ isLocal, display }: Pick<Storage, 'isLocal' | 'display'>): Disposable {
  const missing: string[] = []
  if (isLocal && isAbsolute(display)) {
    for (let path = display; !existsSync(path); path = dirname(path)) missing.push(path)
  }
  return {
    [Symbol.dispose]() {
      try {
        for (const path of missing) rmdirSync(path)
      } catch {
        // never made, or in use: then those above it are as well
      }
    },
  }
}
