import type { Inventory, InventoryTable } from '../../layout/manifest.js'
import type { Difference } from './test-restore-result.js'

/**
 * Compares what was counted when the backup was taken with what is in the restored database. That guards against a
 * dump that was short already, of which a restore is the true image.
 */
export function compareInventory(taken: Inventory, restored: Inventory): readonly Difference[] {
  const after = new Map(restored.tables.map((table) => [keyOf(table), table]))
  return taken.tables.flatMap((table): Difference[] => {
    const section = `rows of ${table.schema === undefined ? '' : `${table.schema}.`}${table.name}`
    const found = after.get(keyOf(table))
    if (!found) return [{ section, problem: `the table is not there; ${rows(table)} at the backup` }]
    if (found.rows !== table.rows) {
      return [{ section, problem: `${rows(found)} now; ${rows(table)} at the backup` }]
    }
    const differs = table.checksum !== undefined && found.checksum !== undefined && table.checksum !== found.checksum
    return differs ? [{ section, problem: 'the checksum of its rows is not that of the backup' }] : []
  })
}

const keyOf = ({ schema, name }: InventoryTable): string => JSON.stringify([schema ?? null, name])

const rows = ({ rows: count }: InventoryTable): string => `${count} ${count === 1 ? 'row' : 'rows'}`
