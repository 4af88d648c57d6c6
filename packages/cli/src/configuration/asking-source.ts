import { createRunContext, type Driver, isBackupError } from '@holdfast/core'
import { ask, canAsk } from '../ask.js'
import type { Cli } from '../cli.js'
import { passwordsIn } from '../output/scrub.js'
import { type SourceOptions, sourceFromText } from './source-from-text.js'

/**
 * A driver for a URL. Where the server wants a password that nobody gave, and somebody is at the terminal, they are
 * asked for it.
 */
export async function askingSource(url: string, options: SourceOptions, cli: Cli): Promise<Driver> {
  const driver = await sourceFromText(url, options)
  if (passwordsIn(url).length > 0 || !canAsk(cli.world)) return driver
  if (!(await lacksPassword(driver, cli))) return driver
  const password = await ask(`Password for ${driver.display}:`, cli.world, cli.signal, { hidden: true })
  cli.output.hide(password)
  return password ? sourceFromText(url, { ...options, password }) : driver
}

/** Any other problem is for the command to meet. */
async function lacksPassword(driver: Driver, { signal }: Cli): Promise<boolean> {
  try {
    await driver.probe(createRunContext({ signal }))
    return false
  } catch (error) {
    signal.throwIfAborted()
    return isBackupError(error, 'source-denied') && /password/i.test(error.message)
  }
}
