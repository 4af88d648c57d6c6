/**
 * The environment that every child starts from. It is built from nothing rather than copied from this process, so
 * that neither our secrets nor a stray `PGOPTIONS` reach a client, and messages come in English and UTF-8.
 */
export function minimalEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    ...taken('HOME'), // where clients keep passwords and certificates (~/.pgpass, ~/.postgresql)
    ...taken('TMPDIR'),
    ...taken('NODE_COMPILE_CACHE'), // where the user keeps what Node has compiled: a driver's own program starts faster
  }
}

function taken(name: string): Record<string, string> {
  const value = process.env[name]
  return value === undefined ? {} : { [name]: value }
}
