import { Option } from 'commander'
import { append } from './option-values.js'

/** What names a backup. */
export const selectorText: string = 'id or its beginning, latest, latest~1, or a job for its latest'

/** The storages to read from. */
export function fromOption(): Option {
  return new Option(
    '--from <storage>',
    'where to look: name, directory, s3://bucket/prefix or sftp://user@host/dir; may be repeated',
  ).argParser(append)
}

/** `--from` under another name that works, and is not shown. */
export function storageAlias(): Option {
  return new Option('--storage <storage>', 'the same as --from').argParser(append).hideHelp()
}

/** A key that decrypts. */
export function identityOption(): Option {
  return new Option('--identity <file>', 'an age key that reads encrypted backups; may be repeated').argParser(append)
}

/** A passphrase that decrypts. */
export function passphraseFileOption(): Option {
  return new Option('--passphrase-file <file>', 'the passphrase of the key, or of the backup')
}

/** What stands below the help of a command. */
export function example(line: string): string {
  return `\nExample:\n  $ ${line}\n`
}
