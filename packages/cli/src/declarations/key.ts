import { type Command, Option } from 'commander'
import type { KeyGenerateOptions } from '../commands/key-generate.js'
import type { KeyKitOptions } from '../commands/key-kit.js'
import type { RunCommand } from './command-function.js'
import { example, fromOption } from './shared-options.js'

/** Declares `holdfast key generate` and `key kit`. */
export function declareKey(program: Command, run: RunCommand): void {
  const key = program
    .command('key')
    .summary('make keys, and the sheet to keep with them')
    .description('Makes keys for encrypted backups, and the sheet to keep with them.')
  key
    .command('generate')
    .description('Makes an age key: a file for its owner alone, and the recipient that backups are encrypted for.')
    .option('-o, --output <file>', 'where to; - is standard output (default: holdfast-key.txt)')
    .addOption(new Option('--passphrase', 'ask for a passphrase to put the key under').conflicts('passphraseFile'))
    .option('--passphrase-file <file>', 'read that passphrase from a file')
    .action(run<KeyGenerateOptions>(async () => (await import('../commands/key-generate.js')).keyGenerateCommand))
    .addHelpText('after', example('holdfast key generate -o backup-key.txt'))

  key
    .command('kit')
    .description('Makes a recovery kit to print: where the backups are, and how to restore them with standard tools.')
    .option('-o, --output <file>', 'where to, as text or .html (default: standard output)')
    .addOption(fromOption())
    .option('--identity <file>', 'print this key on it too')
    .option('--html', 'as a page of HTML')
    .action(run<KeyKitOptions>(async () => (await import('../commands/key-kit.js')).keyKitCommand))
    .addHelpText('after', example('holdfast key kit --identity backup-key.txt -o recovery-kit.html'))
}
