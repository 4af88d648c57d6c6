// Named one by one, so that the build leaves the rest of the library out: what is loaded takes half the time.
export { armor, Decrypter, Encrypter, generateX25519Identity, identityToRecipient, Stanza } from 'age-encryption'
