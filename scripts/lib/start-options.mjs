const usage = `npm start            sets up, runs the main job end to end, and exits: 0 only if the restored databases equal their source
npm start -- --once  the same
npm start -- --help  prints this`

/**
 * What `npm start` is to do; the usage, where it is not to be started.
 *
 * @param {readonly string[]} args
 * @returns {{ readonly start: true } | { readonly start: false, readonly code: 0 | 1, readonly text: string }}
 */
export function readStartOptions(args) {
  const unknown = args.find((arg) => arg !== '--once' && arg !== '--help')
  if (unknown !== undefined) return { start: false, code: 1, text: `npm start does not know ${unknown}.\n\n${usage}` }
  return args.includes('--help') ? { start: false, code: 0, text: usage } : { start: true }
}
