import { cipherContract, toyCipher } from '@holdfast/core/testing'
import { describe, expect, it } from 'vitest'
import { createRunContext } from '../run-context.js'
import { age } from './age.js'
import { generateAgeKey } from './age-key.js'

const ours = await generateAgeKey()
const second = await generateAgeKey()
const theirs = await generateAgeKey()
const recipients = [second.recipient, ours.recipient]

const ciphers = {
  toy: {
    cipher: toyCipher({ key: 'our key' }),
    writeOnly: toyCipher({ key: 'our key', canDecrypt: false }),
    stranger: toyCipher({ key: 'their key' }),
    secrets: ['our key', 'their key'],
  },
  'age with recipients': {
    cipher: age({ recipients, identities: ours.identity }),
    writeOnly: age({ recipients }),
    stranger: age({ identities: theirs.identity }),
    secrets: [ours.identity.reveal(), theirs.identity.reveal()],
    probes: 256,
  },
  'age with a passphrase': {
    cipher: age({ passphrase: 'open sesame', workFactor: 10 }),
    stranger: age({ passphrase: 'wrong sesame' }),
    secrets: ['open sesame', 'wrong sesame'],
  },
}

describe.each(Object.entries(ciphers))('%s', (_, env) => {
  it.each(cipherContract.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    await expect(one.run({ ...env, ctx: createRunContext() })).resolves.toBeUndefined()
  })
})
