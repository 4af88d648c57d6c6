import { resolve } from 'node:path'
import { type AgeKey, BackupError, generateAgeKey, lockText, Secret, streamOf } from '@holdfast/core'
import { ask, canAsk } from '../ask.js'
import type { Cli } from '../cli.js'
import { passphraseIn } from '../configuration/reading-keys.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { destinationFor, saveTo } from './save-file.js'

/** Options of `holdfast key generate`. */
export interface KeyGenerateOptions {
  readonly output?: string
  readonly passphrase?: boolean
  readonly passphraseFile?: string
}

const defaultName = 'holdfast-key.txt'

/** Makes an age key. The secret half goes to a file for its owner alone; the public half is printed. */
export async function keyGenerateCommand(
  cli: Cli,
  _args: readonly string[],
  options: KeyGenerateOptions,
): Promise<ExitCode> {
  const { output, world, signal } = cli
  if (options.output === '-' && output.json) {
    throw new BackupError('config-invalid', {
      message: 'Standard output carries the key: --json has no place there',
      hint: 'Leave --json away, or name a file with -o.',
    })
  }
  const passphrase = await passphraseFor(options, cli)
  const key = await generateAgeKey()
  output.hide(key.identity.reveal())
  const content = passphrase ? await lockText(identityFile(key), passphrase) : identityFile(key)
  if (options.output === '-') {
    world.stdout.write(content)
    output.note(`Recipient: ${key.recipient}`)
    return exitCodes.done
  }
  const destination = destinationFor(options.output, world.cwd)
  const { file } = await saveTo(destination, defaultName, streamOf(Buffer.from(content)), { signal })
  output.document({
    status: 'generated',
    recipient: key.recipient,
    identityFile: file,
    passphrase: passphrase !== undefined,
  })
  output.result(explain(key.recipient, file, cli))
  return exitCodes.done
}

/** As `age-keygen` writes it. */
function identityFile({ identity, recipient }: AgeKey): string {
  return `# created: ${new Date().toISOString()}\n# public key: ${recipient}\n${identity.reveal()}\n`
}

function explain(recipient: string, file: string, { output }: Cli): string {
  return [
    `The key is in ${output.paint.strong(file)}. Its recipient:`,
    '',
    `  ${recipient}`,
    '',
    'To encrypt backups for it:',
    `  holdfast backup URL --to PLACE --age-recipient ${recipient}`,
    `  BACKUP_AGE_RECIPIENTS=${recipient}`,
    `  encrypt: age({ recipients: ['${recipient}'] })   in the configuration`,
    'To read them:',
    `  holdfast restore latest --identity ${file} --from PLACE --into URL`,
    `  age -d -i ${file} < BACKUP.age`,
    '',
    'PLACE is where the backups are, for example ./backups; with a config file it is left away.',
    '',
    output.paint.warning('Whoever loses this file loses every backup that is encrypted for it.'),
    'Move it off the hosts that make backups, keep it in two places, and print it:',
    `  holdfast key kit --identity ${file} --from PLACE -o recovery-kit.html`,
  ].join('\n')
}

async function passphraseFor(options: KeyGenerateOptions, cli: Cli): Promise<Secret | undefined> {
  const { world, output, signal } = cli
  if (options.passphraseFile !== undefined) return passphraseIn(resolve(world.cwd, options.passphraseFile), cli)
  if (!options.passphrase) return undefined
  if (!canAsk(world)) {
    throw new BackupError('config-invalid', {
      message: 'There is no terminal to ask for a passphrase at',
      hint: 'Put it into a file and name that with --passphrase-file.',
    })
  }
  const typed = await ask('Passphrase for the key:', world, signal, { hidden: true })
  if (!typed)
    throw new BackupError('config-invalid', { message: 'No passphrase was given', hint: 'Nothing was written.' })
  output.hide(typed)
  const again = await ask('Again:', world, signal, { hidden: true })
  if (typed === again) return new Secret(typed)
  throw new BackupError('config-invalid', { message: 'The two passphrases differ', hint: 'Nothing was written.' })
}
