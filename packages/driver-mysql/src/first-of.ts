/** The first of some texts, and how many more there are: there can be any number. */
export function firstOf(texts: readonly string[], most: number = 10): string {
  return texts.slice(0, most).join(', ') + (texts.length > most ? ` and ${texts.length - most} more` : '')
}
