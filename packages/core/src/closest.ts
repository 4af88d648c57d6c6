/** ` (did you mean "x"?)` for the likeliest of `known`, or nothing when none is near. For ends of messages. */
export function closest(wrong: string, known: readonly string[]): string {
  const [best] = nearest(wrong, known)
  if (best !== undefined) return ` (did you mean ${JSON.stringify(best)}?)`
  return known.length > 0 ? ` (known: ${known.join(', ')})` : ''
}

/** `Near to it: x, y. `, for beginnings of hints, or nothing when none is near. */
export function nearHint(wrong: string, known: readonly string[]): string {
  const near = nearest(wrong, known)
  return near.length > 0 ? `Near to it: ${near.join(', ')}. ` : ''
}

/** At most three of `known` that are near, the likeliest first. A name with dots is near where its end is. */
function nearest(wrong: string, known: readonly string[]): readonly string[] {
  const ranked = known.map((name) => ({ name, distance: distanceOf(wrong.toLowerCase(), name.toLowerCase()) }))
  const near = ranked.filter(({ name, distance }) => distance <= Math.max(1, Math.floor(endOf(name).length / 3)))
  const sorted = near.sort((a, b) => a.distance - b.distance)
  return sorted.slice(0, 3).map(({ name }) => name)
}

function distanceOf(wrong: string, name: string): number {
  return Math.min(editDistance(wrong, name), editDistance(endOf(wrong), endOf(name)))
}

const endOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1)

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
