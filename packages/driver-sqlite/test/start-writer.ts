import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/** What a writer says at its end: rows written, and milliseconds that one took from when it was due. */
export interface WriterReport {
  readonly rows: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Starts `writer.ts` on a database, and waits until it writes. The function returned ends it. */
export async function startWriter(path: string, rowsPerSecond: number): Promise<() => Promise<WriterReport>> {
  const args = ['--no-warnings', join(import.meta.dirname, 'writer.ts'), path, String(rowsPerSecond)]
  const writer = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(writer.stdout, 'readable')
  const said = text(writer.stdout)
  return async () => {
    writer.stdin.end()
    return JSON.parse((await said).split('\n')[1] ?? '') as WriterReport
  }
}
