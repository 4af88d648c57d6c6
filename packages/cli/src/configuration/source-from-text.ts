import { BackupError, type Driver, isBackupError } from '@holdfast/core'
import { driverPlugins, schemeOf } from './plugins.js'

/** Options of a driver beside its URL, as the command line gives them. */
export type SourceOptions = Readonly<Record<string, string | boolean | undefined>>

/**
 * A driver from the URL of a database, such as `postgres://user@host:5432/database`.
 *
 * @throws {BackupError} `config-invalid`; no message holds the URL, which may hold a password.
 */
export async function sourceFromText(text: string, options: SourceOptions = {}): Promise<Driver> {
  const scheme = schemeOf(text)
  const plugin = driverPlugins.find(({ schemes }) => scheme !== undefined && schemes.includes(scheme))
  if (!plugin) {
    const known = driverPlugins.flatMap(({ schemes }) => schemes.map((each) => `${each}://`))
    throw new BackupError('config-invalid', {
      message: scheme ? `No driver here reads ${scheme}:// URLs` : 'The database is not named by a URL',
      hint: `Known are ${known.join(', ')}; for example postgres://user@host:5432/database, or sqlite:./app.db.`,
    })
  }
  const { fromUrl, create } = await plugin.load()
  const settings = fromUrl(text) as object
  try {
    return create({ ...settings, ...given(options) })
  } catch (error) {
    throw notForEngine(error, plugin.id, options) ?? error
  }
}

/** In the words of the command line, where an option is given that the driver has no setting for. */
function notForEngine(error: unknown, engine: string, options: SourceOptions): BackupError | undefined {
  if (!isBackupError(error, 'config-invalid')) return undefined
  const unknown = Object.keys(given(options)).find((name) => error.message.includes(`${name}: is not a known setting`))
  if (unknown === undefined) return undefined
  const option = `--${unknown.replace('binDir', 'bin-dir')}`
  return new BackupError('config-invalid', {
    message: `${option} says nothing to ${engine}, which has no such thing`,
    hint: 'Leave it out.',
    cause: error,
  })
}

/**
 * A driver that is bound to no database in particular, for what needs no connection.
 *
 * @param binDir - Where its programs are, for an engine that has any.
 * @returns `undefined` where no driver of that engine is installed.
 */
export async function driverOfEngine(engine: string, binDir?: string): Promise<Driver | undefined> {
  const plugin = await driverPlugins.find(({ id }) => id === engine)?.load()
  const driver = plugin?.create({})
  return plugin && driver?.programs ? plugin.create(given({ binDir })) : driver
}

/** Where the programs of a source that the command line names are. */
export function binDirOf({ binDir }: { readonly binDir?: string }): { readonly binDir?: string } {
  return binDir === undefined ? {} : { binDir }
}

/** Leaves out what was not given: plugins refuse keys that they do not know, and values that are not set. */
function given(options: SourceOptions): object {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
