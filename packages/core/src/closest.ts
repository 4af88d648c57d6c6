/** ` (did you mean "x"?)` for the likeliest of `known`, or nothing when none is near. For ends of messages. */
export function closest(wrong: string, known: readonly string[]): string {
  const ranked = known.map((name) => ({ name, distance: editDistance(wrong.toLowerCase(), name.toLowerCase()) }))
  const best = ranked.sort((a, b) => a.distance - b.distance)[0]
  const near = best && best.distance <= Math.max(1, Math.floor(best.name.length / 3))
  if (near) return ` (did you mean ${JSON.stringify(best.name)}?)`
  return known.length > 0 ? ` (known: ${known.join(', ')})` : ''
}

/** Levenshtein's distance: insertions, deletions and replacements that make `a` into `b`. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [row, letter] of [...a].entries()) {
    const current = [row + 1]
    for (const [column, other] of [...b].entries()) {
      const replace = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(replace, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
