/** What the program says on standard error: one line of JSON each. */
export type Word =
  | { readonly kind: 'failure'; readonly code: string; readonly message: string }
  | { readonly kind: 'warning' | 'note'; readonly message: string }

/** Says a word to the process that started this one. */
export function report(kind: Word['kind'], word: { readonly message: string; readonly code?: string }): void {
  process.stderr.write(`${JSON.stringify({ kind, ...word })}\n`)
}

/** An error whose code says what happened: one of SQLite's, or `DAMAGED`. */
export function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
