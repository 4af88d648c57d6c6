import type { BackupRecord } from '@holdfast/core'
import { visible } from '../output/visible.js'

/**
 * What a backup holds of its database, where that is not all of it: `orders, items without rows`.
 *
 * @returns `undefined` for a backup of the whole database.
 */
export function chosenIn({ manifest: { options } }: Pick<BackupRecord, 'manifest'>): string | undefined {
  const names = (option: string): readonly string[] => {
    const value = options[option]
    return Array.isArray(value) ? value.map((name) => visible(String(name))) : []
  }
  const chosen = [...names('tables'), ...names('schemas').map((schema) => `schema ${schema}`)]
  const excluded = [...names('excludeTables'), ...names('excludeSchemas').map((schema) => `schema ${schema}`)]
  const { sections } = options
  if (chosen.length + excluded.length === 0 && sections !== 'schema' && sections !== 'data') return undefined
  const most = excluded.length > 0 ? [`${chosen.length > 0 ? 'without' : 'all but'} ${excluded.join(', ')}`] : []
  const which = [chosen.join(', '), ...most].filter((text) => text !== '').join(' ') || 'all tables'
  return `${which}${sections === 'schema' ? ', without rows' : sections === 'data' ? ', rows alone' : ''}`
}
