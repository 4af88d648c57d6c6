import {
  BackupError,
  type ManifestPart,
  type RestoreRequest,
  type RestoreSource,
  type RunContext,
} from '@holdfast/core'
import { type ArchiveHead, readArchiveHead } from './archive.js'
import type { Connection, Endpoint } from './connection.js'
import type { PostgresSettings } from './options.js'
import { majorOf, type Tool } from './tools.js'

/** A database, and how to reach it. */
export interface BoundDatabase {
  readonly connection: Connection
  readonly settings: PostgresSettings
  /** Whether it is a scratch that is dropped when a restore into it fails: then no transaction is needed. */
  readonly disposable?: boolean
}

/** Main part of a backup: the dump itself. */
export interface DumpInBackup {
  readonly part: ManifestPart
  readonly format: 'custom' | 'plain'
}

/** A restore under way: what is to be restored, and what has come up so far. */
export interface RestoreJob {
  readonly settings: PostgresSettings
  readonly from: RestoreSource
  readonly request: RestoreRequest
  readonly ctx: RunContext
  readonly dump: DumpInBackup
  /** Absent for plain dumps. */
  readonly head: ArchiveHead | undefined
  /** Major version of the program that made the dump. */
  readonly dumpMajor: number
  readonly warnings: string[]
  readonly tools: Record<string, string>
}

/** The server that is restored to. */
export interface TargetServer {
  readonly endpoint: Endpoint
  readonly major: number
  /** For example 150020. */
  readonly versionNumber: number
  readonly superuser: boolean
}

/** Opens a backup: reads the table of contents of its dump, where it has one. */
export async function openJob(
  settings: PostgresSettings,
  from: RestoreSource,
  request: RestoreRequest,
  ctx: RunContext,
): Promise<RestoreJob> {
  const dump = dumpOf(from)
  const head = dump.format === 'custom' ? await readArchiveHead(from.open(dump.part.name, ctx)) : undefined
  const dumpMajor = majorOf(head?.dumpVersion ?? from.manifest.tools.pg_dump ?? '')
  return { settings, from, request, ctx, dump, head, dumpMajor, warnings: [], tools: {} }
}

/** @throws {BackupError} `restore-refused` for a backup of something else. */
export function dumpOf({ parts, manifest }: Pick<RestoreSource, 'parts' | 'manifest'>): DumpInBackup {
  for (const [name, format] of [
    ['dump', 'custom'],
    ['sql', 'plain'],
  ] as const) {
    const part = parts.find((each) => each.name === name)
    if (part && manifest.engine === 'postgres') return { part, format }
  }
  throw new BackupError('restore-refused', {
    message: `The backup holds no dump that PostgreSQL could restore (engine ${manifest.engine}, parts ${parts.map(({ name }) => name).join(', ')})`,
  })
}

/** Notes the version of a tool for the report. */
export function noteTool(job: RestoreJob, tool: Tool): Tool {
  job.tools[tool.name] = tool.version
  return tool
}
