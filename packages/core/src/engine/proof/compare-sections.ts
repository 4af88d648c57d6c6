import type { DumpSection } from '../../driver/driver.js'

/** A section that is not the same in two dumps. */
export interface SectionDifference {
  readonly name: string
  readonly kind: DumpSection['kind']
  /** `missing`: not in the second dump. `added`: in the second alone. */
  readonly how: 'missing' | 'added' | 'changed'
}

/**
 * Compares the dump of a backup with the dump of what was restored from it, section by section.
 *
 * @returns The differences, in the order of the first dump.
 */
export function compareSections(
  dumped: readonly DumpSection[],
  restored: readonly DumpSection[],
): readonly SectionDifference[] {
  const before = new Map(dumped.map((section) => [section.name, section]))
  const after = new Map(restored.map((section) => [section.name, section]))
  return [
    ...dumped.flatMap(({ name, kind, sha256 }): SectionDifference[] => {
      const found = after.get(name)
      if (!found) return [{ name, kind, how: 'missing' }]
      return found.sha256 === sha256 ? [] : [{ name, kind, how: 'changed' }]
    }),
    ...restored.flatMap(({ name, kind }): SectionDifference[] =>
      before.has(name) ? [] : [{ name, kind, how: 'added' }],
    ),
  ]
}
