import { describe, expect, it } from 'vitest'
import { readAll, streamOf } from '../byte-stream.js'
import { withoutArmor } from './age-armor.js'

const begin = '-----BEGIN AGE ENCRYPTED FILE-----'
const end = '-----END AGE ENCRYPTED FILE-----'

/** Of an armored text, however it comes in. */
async function open(text: string, chunkBytes = 1000): Promise<string> {
  const bytes = Buffer.from(text)
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, n) =>
    bytes.subarray(n * chunkBytes, (n + 1) * chunkBytes),
  )
  return (await readAll(withoutArmor(streamOf(...chunks)))).toString()
}

describe('an armored age file', () => {
  it.each([
    ['as age writes it', `${begin}\nYWdl\n${end}\n`],
    ['with the line ends of another system', `${begin}\r\nYWdl\r\n${end}\r\n`],
    ['without an end of its last line', `${begin}\nYWdl\n${end}`],
    ['with empty lines around it', `\n \n${begin}\nYWdl\n${end}\n\n`],
  ])('is read %s', async (_, text) => {
    for (const chunk of [1, 5, 1000]) expect(await open(text, chunk)).toBe('age')
  })

  it.each([
    ['that never begins', '', 'they end too early'],
    ['whose end is missing', `${begin}\nYWdl\n`, 'they end too early'],
    ['with a line without end', `${begin}\n${'YWdl'.repeat(300)}`, 'a line is too long'],
    ['with a line that was cut', `${begin}\nYWd\n${end}\n`, 'a line is not base64'],
    ['with something before it', `Dear age,\n${begin}\nYWdl\n${end}\n`, 'something before or after'],
  ])('%s is damaged', async (_, text, message) => {
    await expect(open(text)).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining(message) })
  })
})
