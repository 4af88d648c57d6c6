import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A running S3 server. */
export interface S3Server {
  /** For example `http://127.0.0.1:40123`; buckets are in the path. */
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  createBucket(name: string): Promise<void>
  /** Ids of the multipart uploads of a bucket that were neither completed nor aborted, read from the server's disk. */
  openUploads(bucket: string): Promise<string[]>
  /** Ends the process and removes its directory. */
  stop(): Promise<void>
}

/** How the server differs from S3. */
export interface S3ServerOptions {
  /** Ignore `If-None-Match`, as some providers do. Default `false`. */
  readonly ignoreConditions?: boolean
  /** Count the bytes of objects and throw them away; they read as zeros. Default `false`. */
  readonly discard?: boolean
}

/** s3rver encrypts its continuation tokens with a cipher that OpenSSL 3 calls legacy. */
const nodeFlags = ['--no-warnings', '--openssl-legacy-provider']

/**
 * Starts s3rver as a process of its own, on a free loopback port, in a temp directory.
 * What of S3 it lacks and what was added is said in `s3-server-process.ts`.
 */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'holdfast-s3-'))
  const accessKeyId = 'HOLDFASTTESTKEY'
  const secretAccessKey = 'holdfast-test-secret/with+signs='
  const program = fileURLToPath(new URL('./s3-server-process.ts', import.meta.url))
  const keys = ['--access-key-id', accessKeyId, '--secret-access-key', secretAccessKey]
  const flags = [options.ignoreConditions ? '--ignore-conditions' : '', options.discard ? '--discard' : '']
  const child = spawn(
    process.execPath,
    [...nodeFlags, program, '--directory', directory, ...keys, ...flags.filter(Boolean)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH },
    },
  )
  const exited = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const started = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (!started) {
    await rm(directory, { recursive: true, force: true })
    throw new Error(`The S3 server ended with exit code ${child.exitCode} before it listened`)
  }
  return {
    endpoint: `http://127.0.0.1:${started[0]}`,
    accessKeyId,
    secretAccessKey,
    async createBucket(name) {
      await mkdir(join(directory, 'buckets', name))
    },
    async openUploads(bucket) {
      return readdir(join(directory, 'buckets', bucket, '._S3rver_uploads')).catch(() => [])
    },
    async stop() {
      child.kill('SIGKILL')
      await exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}
