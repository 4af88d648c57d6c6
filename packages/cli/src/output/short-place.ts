/** Longest name of a storage in a table of many columns. */
const longest = 32

/**
 * A storage that is named by its URL, short enough for a table: host or bucket and the end of the path, without user,
 * port and options. Names stay as they are; `show` and `--json` have URLs whole.
 */
export function shortPlace(storage: string): string {
  const url = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?:[^/?#@]*@)?(?<host>[^/?#]*)(?<path>[^?#]*)/i.exec(storage)?.groups
  if (!url || storage.length <= longest) return storage
  const { scheme = '', host = '', path = '' } = url
  const place = `${scheme}://${host.replace(/:\d+$/, '')}`
  const steps = path.split('/').filter((step) => step !== '')
  const last = steps.length > 1 ? `/…/${steps.at(-1)}` : steps.map((step) => `/${step}`).join('')
  return middleCut(place + last)
}

function middleCut(text: string): string {
  const characters = [...text]
  if (characters.length <= longest) return text
  const half = (longest - 1) / 2
  return `${characters.slice(0, Math.ceil(half)).join('')}…${characters.slice(-Math.floor(half)).join('')}`
}
