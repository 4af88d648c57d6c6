import type { Storage } from '@holdfast/core'

/** Storages by their names, with where they are: a name alone does not say which directory was looked at. */
export function describePlaces(storages: Readonly<Record<string, Pick<Storage, 'display'>>>): string {
  return Object.entries(storages)
    .map(([name, { display }]) => (name.includes('://') || name === display ? name : `${name} (${display})`))
    .join(', ')
}

/** For whom found nothing there. */
export const lookElsewhere = 'If they are elsewhere, say where with --from.'
