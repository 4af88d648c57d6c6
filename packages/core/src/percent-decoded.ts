/**
 * What a part of a URL stands for. `undefined` where its percent-encoding is wrong, or stands for a NUL, which ends the
 * text for every program and server behind.
 *
 * @example
 * ```ts
 * import { percentDecoded } from '@holdfast/core'
 *
 * console.log(percentDecoded('p%40ss'), percentDecoded('100%')) // p@ss undefined
 * ```
 */
export function percentDecoded(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text)
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}
