import type { Random } from '#bench/data/random'

const syllables = (
  'an ar be ca con da de den di el en er es ex fa for ga ge ha he hi in is ka ke la le li lo ma me mi mo na ne ni no ' +
  'of on or pa pe po qua ra re ri ro sa se si so sta ta te ter ti to tra un ur va ve vi wa we wi yo za'
).split(' ')

/** Words as a language has them: the common ones are short. */
const words: readonly string[] = vocabulary(6_000)

function vocabulary(count: number): string[] {
  const found = new Set<string>()
  for (let n = 0; found.size < count; n++) {
    let rest = n
    let word = ''
    do {
      word += syllables[(rest * 31 + 17) % syllables.length]
      rest = Math.floor(rest / syllables.length)
    } while (rest > 0)
    found.add(n % 3 === 0 ? `${word}s` : word)
  }
  return [...found]
}

/** One word, common ones more often. */
export const word = (random: Random): string => words[random.skewed(words.length)] as string

/** About `count` words with commas and full stops. */
export function prose(random: Random, count: number): string {
  let text = ''
  for (let i = 0; i < count; i++) {
    const mark = random.int(12)
    text += word(random) + (mark === 0 ? '. ' : mark === 1 ? ', ' : ' ')
  }
  return `${text.trimEnd()}.`
}
