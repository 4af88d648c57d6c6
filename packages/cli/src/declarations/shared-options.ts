import { type Command, Option } from 'commander'
import { append } from './option-values.js'

/** What names a backup. */
export const selectorText: string = 'id or its beginning, latest, latest~1, or a job for its latest'

/** Adds what a command needs that looks for backups. */
export function lookingForBackups(command: Command): Command {
  return command
    .addOption(fromOption())
    .addOption(new Option('--storage <storage>', 'the same as --from').argParser(append).hideHelp())
}

/** Adds what a command needs that looks for backups and reads what is in them. */
export function readingBackups(command: Command): Command {
  return lookingForBackups(command)
    .addOption(
      new Option('--identity <file>', 'an age key that reads encrypted backups; may be repeated').argParser(append),
    )
    .addOption(new Option('--passphrase-file <file>', 'the passphrase of the key, or of the backup'))
}

/** The storages to read from. */
export function fromOption(): Option {
  return new Option(
    '--from <storage>',
    'where to look: name, directory, s3://bucket/prefix or sftp://user@host/dir; may be repeated',
  ).argParser(append)
}

/** What stands below the help of a command. */
export function example(line: string): string {
  return `\nExample:\n  $ ${line}\n`
}
