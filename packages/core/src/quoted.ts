/** What somebody has written, for a message. Of a URL its scheme alone: the rest can hold a password. */
export function quoted(text: string): string {
  return JSON.stringify(text.replace(/:\/\/.*/s, '://…'))
}
