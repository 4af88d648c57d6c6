import type { Manifest } from '../layout/manifest.js'

/** Options of a dump that choose names. */
const choosingNames = ['tables', 'excludeTables', 'schemas', 'excludeSchemas']

/** Options of a dump that leave out some of the database. */
export const choosing: readonly string[] = ['sections', ...choosingNames]

/** Whether a backup holds some of its database only, as far as its dump has noted that. */
export function holdsPart({ options }: Pick<Manifest, 'options'>): boolean {
  const isChosen = (option: string): boolean => Array.isArray(options[option]) && options[option].length > 0
  return options.sections === 'schema' || options.sections === 'data' || choosingNames.some(isChosen)
}
