import { styleText } from 'node:util'
import type { TextOutput, World } from '../world.js'

/** Colours by what they mean. */
export interface Paint {
  good(text: string): string
  bad(text: string): string
  warning(text: string): string
  strong(text: string): string
  faint(text: string): string
}

const plain = (text: string): string => text

/** Paints nothing. */
export const noPaint: Paint = { good: plain, bad: plain, warning: plain, strong: plain, faint: plain }

const style = (format: Parameters<typeof styleText>[0]) => (text: string) =>
  styleText(format, text, { validateStream: false })

/** Paints with the escape sequences that terminals know. */
export const terminalPaint: Paint = {
  good: style('green'),
  bad: style('red'),
  warning: style('yellow'),
  strong: style('bold'),
  faint: style('dim'),
}

/**
 * Whether colours are wanted on a stream.
 *
 * @see https://no-color.org
 */
export function paintFor(stream: TextOutput, env: World['env'], wanted: boolean): Paint {
  const colour = wanted && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
  return colour ? terminalPaint : noPaint
}
