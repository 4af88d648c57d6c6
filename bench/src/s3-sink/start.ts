import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { workDir } from '#bench/paths'

/** A running S3 server that does as little as possible, so that the clients are what is measured. */
export interface S3Sink extends AsyncDisposable {
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Removes every object. */
  clear(): Promise<void>
}

/** Starts the sink as a process of its own; what it keeps is gone when it is disposed of. */
export async function startS3Sink(): Promise<S3Sink> {
  const folder = join(workDir, 's3')
  await rm(folder, { recursive: true, force: true })
  const program = fileURLToPath(new URL('server.ts', import.meta.url))
  const child = spawn(process.execPath, ['--no-warnings', program, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  const [port] = await once(createInterface({ input: child.stdout }), 'line')
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: 'bench',
    accessKeyId: 'bench',
    secretAccessKey: 'bench-secret',
    async clear() {
      await fetch(`http://127.0.0.1:${port}/bench`, { method: 'DELETE' })
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
