const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

/**
 * Whether the checksum at the end of a Bech32 string holds (BIP 173, without its limit of length, as age uses it): a
 * mistyped recipient is found before anything is encrypted for nobody.
 */
export function isBech32(text: string): boolean {
  const lower = text.toLowerCase()
  if (text !== lower && text !== text.toUpperCase()) return false
  const separator = lower.lastIndexOf('1')
  const prefix = [...lower.slice(0, separator)].map((character) => character.charCodeAt(0))
  const values = [...lower.slice(separator + 1)].map((character) => alphabet.indexOf(character))
  if (separator < 1 || values.length < 6 || values.includes(-1)) return false
  return checksum([...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...values]) === 1
}

function checksum(values: readonly number[]): number {
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    generators.forEach((generator, bit) => {
      if ((top >> bit) & 1) sum ^= generator
    })
  }
  return sum
}
