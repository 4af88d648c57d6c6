import { createHash } from 'node:crypto'
import { type BackupType, backupTypes as types } from './manifest.js'

const grammar = new RegExp(
  `^(?<job>[A-Za-z0-9_][A-Za-z0-9._-]*)/(?<month>\\d{4}/\\d{2})/(?<stem>(?<database>[A-Za-z0-9_][A-Za-z0-9._-]*)_(?<type>${types.join('|')})_(?<date>\\d{8})_(?<time>\\d{6})_(?<id>[0-9a-f]{8}))\\.(?<rest>[a-z0-9.-]+)$`,
)

/** What ends in `.json` is never data. */
const notes: Readonly<Record<string, ParsedKey['kind']>> = {
  'manifest.json': 'manifest',
  'verified.json': 'verified',
  'pin.json': 'pin',
}

/** Where the identity of a storage lies. */
export const identityKey = '.holdfast/storage.json'

/** What tries a storage out writes below this, and removes it again. */
export const probePrefix = '.holdfast/probe/'

/** What names the objects of one backup. */
export interface BackupName {
  readonly id: string
  readonly job: string
  readonly database: string
  readonly type: BackupType
  readonly startedAt: Date
}

/** A key of the grammar of docs/format.md, taken apart. */
export interface ParsedKey {
  readonly safeJob: string
  /** `{job}/{yyyy}/{mm}/{stem}`: what all objects of one backup begin with. */
  readonly base: string
  /** Last 8 digits of the backup's id. */
  readonly shortId: string
  readonly startedAt: Date
  /** `note`: a further JSON object, of a later version. */
  readonly kind: 'manifest' | 'verified' | 'pin' | 'note' | 'data'
}

/** `{job}/{yyyy}/{mm}/{stem}`, the common beginning of a backup's keys. */
export function baseKey(name: BackupName): string {
  const [date, time] = name.startedAt.toISOString().split(/[T.]/) as [string, string]
  const [year, month] = date.split('-') as [string, string]
  const stem = [
    safeName(name.database),
    name.type,
    date.replaceAll('-', ''),
    time.replaceAll(':', ''),
    shortId(name.id),
  ].join('_')
  return `${safeName(name.job)}/${year}/${month}/${stem}`
}

export function partKey(base: string, part: string, extensions: string): string {
  return `${base}.${part}${extensions}`
}

export function manifestKey(base: string): string {
  return `${base}.manifest.json`
}

export function verifiedKey(base: string): string {
  return `${base}.verified.json`
}

export function pinKey(base: string): string {
  return `${base}.pin.json`
}

export function leaseKey(job: string): string {
  return `.holdfast/leases/${safeName(job)}.json`
}

/** The random end of a UUIDv7; its front is the clock. */
export function shortId(id: string): string {
  return id.slice(-8)
}

/** Takes a key apart, or returns `undefined` if it is not one of ours. */
export function parseKey(key: string): ParsedKey | undefined {
  const found = grammar.exec(key)?.groups
  if (!found) return undefined
  const { job, month, stem, date, time, id, rest } = found as Record<string, string> & KeyFields
  const kind = rest.endsWith('.json') ? (notes[rest] ?? 'note') : 'data'
  return { safeJob: job, base: `${job}/${month}/${stem}`, shortId: id, startedAt: instant(date, time), kind }
}

interface KeyFields {
  readonly job: string
  readonly month: string
  readonly stem: string
  readonly date: string
  readonly time: string
  readonly id: string
  readonly rest: string
}

function instant(date: string, time: string): Date {
  const day = date.replace(/(\d{4})(\d{2})(\d{2})/, '$1-$2-$3')
  return new Date(`${day}T${time.replace(/(\d{2})(\d{2})(\d{2})/, '$1:$2:$3')}Z`)
}

/** Makes a name safe for keys, and keeps different names different; the rule stands in docs/format.md. */
export function safeName(name: string): string {
  const safe = [...name]
    .map((character) => (/[A-Za-z0-9._-]/.test(character) ? character : '_'))
    .join('')
    .replace(/^[.-]/, '_')
    .slice(0, 80)
  if (safe === name && name !== '') return safe
  return `${safe}-${createHash('sha256').update(name).digest('hex').slice(0, 8)}`.replace(/^-/, '_-')
}
