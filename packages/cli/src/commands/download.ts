import { BackupError, type Holdfast, type OpenedPart } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { type FromOptions, openBackups } from '../configuration/open-backups.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { formatBytes } from '../output/format-bytes.js'
import { createProgress, type Progress } from '../output/progress.js'
import { type Destination, destinationFor, saveTo } from './save-file.js'

/** Options of `holdfast download`. */
export interface DownloadCommandOptions extends FromOptions {
  readonly output?: string
  readonly part?: string
  readonly decrypt?: boolean
  readonly force?: boolean
}

/** Options of `holdfast cat`. */
export interface CatCommandOptions extends FromOptions {
  readonly part?: string
}

interface Saved {
  readonly part: string
  readonly file: string
  readonly bytes: number
}

/** Saves the parts of a backup. A file has its name only once it is whole. */
export async function downloadCommand(
  cli: Cli,
  args: readonly string[],
  options: DownloadCommandOptions,
): Promise<ExitCode> {
  const { output, world } = cli
  if (!options.decrypt && (options.identity ?? options.passphraseFile) !== undefined) output.warn(keyUnused)
  if (options.output === '-') return writeOut(cli, args, options, options.decrypt ? 'plain' : 'stored')
  const destination = destinationFor(options.output, world.cwd)
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  using progress = createProgress(args[0] ?? 'latest', world, output, cli.options)
  const { backup, parts } = await open(holdfast, args, options.decrypt ? 'plain' : 'stored', cli, progress)
  const chosen = destination.kind === 'file' ? [choosePart(parts, options.part)] : chooseParts(parts, options.part)
  const saved: Saved[] = []
  for (const part of chosen) saved.push(await save(part, destination, options, cli))
  progress[Symbol.dispose]()
  for (const { part, file, bytes } of saved) output.result(`${file}  ${formatBytes(bytes)} (part ${part})`)
  output.document({ status: 'downloaded', id: backup.id, shortId: backup.shortId, files: saved })
  return exitCodes.done
}

const keyUnused = 'The key is not used: without --decrypt a backup is saved as it lies on the storage'

/** Writes a part to standard output, decrypted and decompressed. */
export async function catCommand(cli: Cli, args: readonly string[], options: CatCommandOptions): Promise<ExitCode> {
  return writeOut(cli, args, options, 'plain')
}

async function save(
  { part, fileName, stream }: OpenedPart,
  destination: Destination,
  { force = false }: DownloadCommandOptions,
  { signal }: Cli,
): Promise<Saved> {
  return { part: part.name, ...(await saveTo(destination, fileName, stream, { force, signal })) }
}

async function writeOut(
  cli: Cli,
  args: readonly string[],
  options: CatCommandOptions,
  content: 'stored' | 'plain',
): Promise<ExitCode> {
  const { world, signal } = cli
  if (cli.output.json) {
    throw new BackupError('config-invalid', {
      message: 'Standard output carries the backup itself: --json has no place there',
      hint: 'Leave --json away, or name a file with `holdfast download -o`.',
    })
  }
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const quiet = { report() {}, expect() {}, [Symbol.dispose]() {} }
  const { parts } = await open(holdfast, args, content, cli, quiet)
  const { part, stream } = choosePart(parts, options.part)
  const isText = content === 'plain' && /^(?:text\/|application\/sql)/.test(part.mediaType)
  if (world.stdout.isTTY && !isText) {
    throw new BackupError('config-invalid', {
      message: `Part ${part.name} is binary, and standard output is a terminal`,
      hint: 'Redirect it (> file), pipe it into a program, or use `holdfast download`.',
    })
  }
  for await (const chunk of stream) {
    signal.throwIfAborted()
    if (!world.stdout.write(chunk)) await new Promise<void>((resolve) => world.stdout.once('drain', resolve))
  }
  return exitCodes.done
}

function open(
  holdfast: Holdfast,
  args: readonly string[],
  content: 'stored' | 'plain',
  { signal }: Cli,
  progress: Progress,
): ReturnType<Holdfast['open']> {
  return holdfast.open(args[0] ?? 'latest', { signal, content, onProgress: progress.report })
}

function chooseParts(parts: readonly OpenedPart[], name: string | undefined): readonly OpenedPart[] {
  if (name === undefined) return parts
  const found = parts.filter(({ part }) => part.name === name)
  if (found.length > 0) return found
  throw new BackupError('no-match', {
    message: `The backup has no part ${JSON.stringify(name)}`,
    hint: `It has: ${parts.map(({ part }) => part.name).join(', ')}.`,
  })
}

/** One part: the one that was named, the only one, or the dump itself. */
function choosePart(parts: readonly OpenedPart[], name: string | undefined): OpenedPart {
  const [first, another] = chooseParts(parts, name)
  const main = another ? parts.find(({ part }) => part.name === 'dump' || part.name === 'sql') : first
  if (main) return main
  throw new BackupError('ambiguous', {
    message: `The backup has ${parts.length} parts`,
    hint: `Say which with --part: ${parts.map(({ part }) => part.name).join(', ')}.`,
  })
}
