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
  const letters = [...b]
  let above = letters.map((_, column) => column + 1)
  let distance = letters.length
  for (const [row, letter] of [...a].entries()) {
    let [diagonal, left] = [row, row + 1]
    above = above.map((up, column) => {
      left = Math.min(diagonal + (letter === letters[column] ? 0 : 1), up + 1, left + 1)
      diagonal = up
      return left
    })
    distance = left
  }
  return distance
}
