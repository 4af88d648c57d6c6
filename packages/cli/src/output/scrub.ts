/** Takes secrets out of text. The last filter before anything is written. */
export interface Scrubber {
  /** Remembers a value that must never be written. Short ones are not searched for, nor are ordinary words. */
  hide(secret: string | undefined): void
  /** Remembers the name of a user, database or job: a password that equals it is taken out of URLs only. */
  spare(word: string): void
  /** The text without passwords of URLs, remembered values, and control characters that steer terminals. */
  scrub(text: string): string
}

const mask = '***'
/** Shorter values would be found within ordinary words. */
const shortest = 6
/** What is written in any case. To mask it would hide nothing, and tell that it is the password. */
const ordinary = ['postgres', 'postgresql', 'default', 'database', 'backup', 'password', 'secret', 'holdfast', 'public']

/** `scheme://user:password@`; a password may itself hold `@`, `/` and `:` where its writer forgot to encode it. */
const urlPassword = /\b([a-z][a-z0-9+.-]*:\/\/[^\s:/?#@"']*):([^\s"'<>]*)@(?=[^\s@]*)/gi
/** `password=…` as in queries of URLs and in libpq's keyword strings. */
const keywordPassword =
  /\b((?:ssl)?password|pgpassword|secret_?access_?key|session_?token)(\s*=\s*)('[^']*'|[^\s&'"]+)/gi
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const colour = /\u001b\[[0-9;]*m/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const control = /\u001b\[[0-9;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

export function createScrubber(): Scrubber {
  const hidden = new Set<string>()
  const spared = new Set(ordinary)
  return {
    hide(secret) {
      if (secret === undefined || secret.length < shortest) return
      hidden.add(secret)
      hidden.add(encodeURIComponent(secret))
      const decoded = decode(secret)
      if (decoded.length >= shortest) hidden.add(decoded)
    },
    spare: (word) => void spared.add(word.toLowerCase()),
    scrub(text) {
      let clean = text.replace(urlPassword, `$1:${mask}@`).replace(keywordPassword, `$1$2${mask}`)
      const secrets = [...hidden].filter((secret) => !spared.has(secret.toLowerCase()))
      for (const secret of secrets.sort((a, b) => b.length - a.length)) clean = clean.replaceAll(secret, mask)
      return clean.replace(control, (found) => (colour.test(found) ? found : ''))
    },
  }
}

/** The passwords in a URL, as written. */
export function passwordsIn(text: string): string[] {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/[^:/?#@]*:(.*)@/i.exec(text)?.[1]
  const query = [...text.matchAll(/[?&](?:ssl)?password=([^&#]+)/gi)].map((found) => found[1] ?? '')
  return [authority ?? '', ...query].filter((password) => password !== '')
}

/** What a URL names beside its password: the scheme, the user, the host and the database. */
export function wordsIn(text: string): string[] {
  const url = /^([a-z][a-z0-9+.-]*):\/\/(?:([^:/?#@]*)(?::.*)?@)?([^/?#:@]*)[^/?#]*(?:\/([^?#]*))?/is.exec(text)
  return (url ?? [])
    .slice(1)
    .filter((word): word is string => word !== undefined && word !== '')
    .map(decode)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
