import type { BackupRecord } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { openBackups } from '../configuration/open-backups.js'
import { type ExitCode, exitCodes } from '../exit-codes.js'
import { backupDocument, cipherOf } from '../output/backup-document.js'
import { counted } from '../output/counted.js'
import { describeOptions } from '../output/describe-options.js'
import { formatBytes } from '../output/format-bytes.js'
import { formatAge, formatDuration, formatTime } from '../output/format-duration.js'
import { isUsualRecoverLine } from '../output/recover-line.js'
import { table } from '../output/table.js'
import { describeTest, failureOf } from '../output/test-restore.js'
import { visible, visibleBackup } from '../output/visible.js'
import type { ListCommandOptions } from './list.js'

/** Tables of the inventory that are shown without `--verbose`. */
const tablesShown = 20

/** Shows all that is known of one backup. */
export async function showCommand(cli: Cli, args: readonly string[], options: ListCommandOptions): Promise<ExitCode> {
  const { output, signal } = cli
  const opened = await openBackups(options, cli)
  await using holdfast = opened.holdfast
  const backup = await holdfast.show(args[0] ?? 'latest', { signal })
  output.document({ backup: { ...backupDocument(backup), manifest: backup.manifest } })
  output.result(describe(visibleBackup(backup), cli))
  return exitCodes.done
}

function describe(backup: BackupRecord, cli: Cli): string {
  return [facts(backup, cli), copies(backup, cli), parts(backup, cli), inventory(backup, cli), recover(backup, cli)]
    .filter((section) => section !== undefined)
    .join('\n\n')
}

function facts(backup: BackupRecord, { output }: Cli): string {
  const { manifest, startedAt, endedAt, plainBytes } = backup
  const took = formatDuration(endedAt.getTime() - startedAt.getTime())
  const pairs: [string, string | undefined][] = [
    ['Backup', output.paint.strong(backup.name)],
    ['Id', backup.id],
    ['Job', `${backup.job} (${backup.type})`],
    ['Label', backup.label],
    ['Database', `${backup.database}, ${backup.engine} ${manifest.serverVersion}`],
    ['Taken', `${formatTime(startedAt)}, ${formatAge(startedAt, new Date())}, in ${took}`],
    [
      'Size',
      formatBytes(backup.storedBytes) + (plainBytes === undefined ? '' : `, ${formatBytes(plainBytes)} as dumped`),
    ],
    ['Verified', backup.verifiedAt ? formatTime(backup.verifiedAt) : 'never'],
    ...tested(backup, output),
    ['Pinned', backup.copies.some(({ isPinned }) => isPinned) ? 'yes: retention never deletes it' : undefined],
    ['Encrypted', encryptionOf(backup)],
    ['Made by', `Holdfast ${manifest.holdfast}, ${toolsOf(manifest.tools)}`],
    ...optionsOf(manifest.options),
    ...manifest.warnings.map((warning): [string, string] => ['Warning', output.paint.warning(warning)]),
  ]
  return pairs
    .filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')
    .map(([name, value]) => `${output.paint.faint(name.padEnd(9))} ${value}`)
    .join('\n')
}

/** The latest test restore: when, and what it found. */
function tested({ test }: BackupRecord, { paint, verbose }: Cli['output']): [string, string][] {
  if (!test) return []
  const [verdict = '', ...rest] = describeTest(test, paint, verbose)
  return [
    ['Tested', `${formatTime(new Date(test.testedAt))}, ${verdict}`],
    ...rest.map((line): [string, string] => ['', line]),
  ]
}

function copies(backup: BackupRecord, { output }: Cli): string {
  const { paint, width } = output
  const failure = failureOf(backup)
  const wholeness = failure === undefined ? paint.good('complete') : `complete, but ${paint.bad(failure)}`
  const columns = [
    { title: 'COPY ON', cell: (copy: (typeof backup.copies)[number]) => copy.storage, shrinks: true },
    {
      title: 'STATUS',
      cell: ({ status, problem }: (typeof backup.copies)[number]) =>
        status === 'complete' ? wholeness : paint.bad(problem === undefined ? status : `${status}: ${problem}`),
    },
    {
      title: 'VERIFIED',
      cell: ({ verifiedAt }: (typeof backup.copies)[number]) => (verifiedAt ? formatTime(verifiedAt) : 'never'),
    },
  ]
  return table(columns, backup.copies, width, paint.faint)
}

function parts({ manifest }: BackupRecord, { output }: Cli): string {
  type Part = (typeof manifest.parts)[number]
  const columns = [
    { title: 'PART', cell: ({ name }: Part) => name },
    { title: 'STORED', cell: ({ storedBytes }: Part) => formatBytes(storedBytes), align: 'right' as const },
    { title: 'CODEC', cell: ({ codec, cipher }: Part) => (cipher ? `${codec}, ${cipher.id}` : codec) },
    { title: 'KEY', cell: ({ key }: Part) => key },
    { title: 'SHA-256 AS STORED', cell: ({ storedSha256 }: Part) => storedSha256 },
  ]
  const shown = output.verbose ? columns : columns.slice(0, 4)
  return table(shown, manifest.parts, Number.POSITIVE_INFINITY, output.paint.faint)
}

function inventory({ manifest }: BackupRecord, { output }: Cli): string | undefined {
  const { inventory } = manifest
  if (!inventory) return undefined
  type Table = (typeof inventory.tables)[number]
  const rows = inventory.tables.reduce((sum, each) => sum + each.rows, 0)
  const exact = inventory.exact ? 'of exactly the dumped state' : 'counted at about the same time'
  const title = `${counted(inventory.tables.length, 'table')}, ${counted(rows, 'row')}, ${exact}`
  const columns = [
    {
      title: 'TABLE',
      cell: ({ schema, name }: Table) => visible(schema === undefined ? name : `${schema}.${name}`),
      shrinks: true,
    },
    { title: 'ROWS', cell: (each: Table) => String(each.rows), align: 'right' as const },
    ...(inventory.level === 'checksums'
      ? [{ title: 'CHECKSUM', cell: (each: Table) => visible(each.checksum ?? '') }]
      : []),
  ]
  const largest = [...inventory.tables].sort((a, b) => b.rows - a.rows)
  const shown = output.verbose ? largest : largest.slice(0, tablesShown)
  const more = largest.length - shown.length
  const lines = shown.length > 0 ? [table(columns, shown, output.width, output.paint.faint)] : []
  return [title, ...lines, ...(more > 0 ? [output.paint.faint(`and ${more} more (--verbose shows all)`)] : [])].join(
    '\n',
  )
}

const unusual =
  'Its manifest says so, and whoever can write to the storage may have written it: Holdfast does not write such a line.\n  Read it before you run it.'

function recover({ manifest }: BackupRecord, { output }: Cli): string {
  const target = manifest.engine === 'sqlite' ? 'TARGET.db a new file' : 'TARGET a new, empty database'
  const title = `To restore it without Holdfast, download the object and run, with ${target}:`
  const caution = isUsualRecoverLine(manifest) ? [] : [output.paint.warning(`  ${unusual}`)]
  return [output.paint.faint(title), ...caution, `  ${manifest.recover}`].join('\n')
}

function encryptionOf({ manifest }: BackupRecord): string {
  const cipher = cipherOf(manifest)
  return cipher ? `${cipher.id}, for ${cipher.keyIds.join(', ')}` : 'no'
}

function toolsOf(tools: Readonly<Record<string, string>>): string {
  return Object.entries(tools)
    .map(([name, version]) => visible(`${name} ${version}`))
    .join(', ')
}

function optionsOf(options: Readonly<Record<string, unknown>>): [string, string][] {
  return describeOptions(options).map((line, index) => [index === 0 ? 'Options' : '', visible(line)])
}
