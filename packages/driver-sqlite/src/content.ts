import {
  BackupError,
  type ByteStream,
  type DumpSection,
  type ObjectName,
  type RestoreSource,
  type RunContext,
  spooledFile,
} from '@holdfast/core'
import { wholeFile } from './file-header.js'
import { runTask, streamTask } from './run-task.js'

/** {@link Driver.check} for SQLite: the file was checked in depth before it was stored; here it must be all there. */
export async function checkBody(body: ByteStream): Promise<void> {
  for await (const _ of wholeFile(body));
}

/** {@link Driver.contents} for SQLite. */
export async function contents(from: RestoreSource, ctx: RunContext): Promise<readonly ObjectName[]> {
  await using file = await spooledFile('dump.sqlite', bodyOf(from, ctx), ctx)
  return await runTask('contents', [file.path], ctx, { failure: 'corrupt' })
}

/** {@link Driver.sections} for SQLite. */
export async function sections(body: ByteStream, ctx: RunContext): Promise<readonly DumpSection[]> {
  await using file = await spooledFile('dump.sqlite', wholeFile(body), ctx)
  return await runTask('sections', [file.path], ctx, { failure: 'corrupt' })
}

/** {@link Driver.rows} for SQLite. */
export async function* rows(body: ByteStream, section: string, ctx: RunContext): AsyncGenerator<Uint8Array> {
  await using file = await spooledFile('dump.sqlite', wholeFile(body), ctx)
  let rest = Buffer.alloc(0)
  for await (const chunk of streamTask('rows', [file.path, section], ctx, { failure: 'corrupt' })) {
    rest = Buffer.concat([rest, chunk])
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      yield rest.subarray(0, end)
      rest = rest.subarray(end + 1)
    }
  }
}

/** The database file of a backup; it throws where that is cut short or no such file. */
export function bodyOf(from: RestoreSource, ctx: RunContext): ByteStream {
  const part = from.parts.find(({ name }) => name === 'sqlite')
  if (part) return wholeFile(from.open(part.name, ctx))
  throw new BackupError('restore-refused', {
    message: 'The backup holds no part sqlite; it is not of a SQLite database',
  })
}
