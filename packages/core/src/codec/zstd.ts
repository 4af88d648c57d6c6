import { availableParallelism } from 'node:os'
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { type ByteStream, endAfter, MiB } from '../byte-stream.js'
import { openBlockPipe } from '../driver/block-pipe.js'
import type { ChildOutput } from '../driver/child-output.js'
import { startChild } from '../driver/child-process.js'
import { readFromChild } from '../driver/child-streams.js'
import { findProgram } from '../driver/find-program.js'
import { openPipe } from '../driver/kernel-pipe.js'
import type { RunContext } from '../run-context.js'
import { coalesce } from '../stream/coalesce.js'
import type { Codec } from './codec.js'
import { compressionFailed, damagedData } from './damaged-data.js'
import { levelWithin } from './level.js'
import { through } from './through.js'
import { cutAtFrames } from './zstd-frames.js'

/** How zstd is used. */
export interface ZstdOptions {
  /** 1 (fast) to 19 (small). Default 3, which gives 8.6 of the 9.0 that level 9 reaches, five times as fast. */
  readonly level?: number
  /** `auto` (default) compresses with the `zstd` program where it is installed; `false` never does. */
  readonly program?: 'auto' | false
}

/**
 * zstd, one frame with a content checksum.
 *
 * @throws {BackupError} `config-invalid` for a level outside 1 to 19.
 */
export function zstd({ level = 3, program = 'auto' }: ZstdOptions = {}): Codec {
  levelWithin('zstd', level, 1, 19)
  const command = program === 'auto' ? findProgram('zstd') : undefined
  return {
    id: 'zstd',
    extension: '.zst',
    decompressCommand: 'zstd -dc',
    compress: (plain) => compress(plain, level),
    decompress: (compressed) =>
      through(cutAtFrames(compressed, damaged), createZstdDecompress({ chunkSize: MiB }), damaged),
    ...(command === undefined ? {} : { compressProcess: (from, ctx) => compressProcess(command, level, from, ctx) }),
  }
}

const damaged = (reason: string, cause?: unknown): Error => damagedData('zstd', reason, cause)

/** Blocks of 1 MiB: every block costs a trip to the thread pool. More threads inside (nbWorkers) break Node's streams. */
function compress(plain: ByteStream, level: number): ByteStream {
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag, ZSTD_c_chainLog, ZSTD_c_minMatch } = constants
  const tuned = { [ZSTD_c_chainLog]: forDumps.chainLog, [ZSTD_c_minMatch]: forDumps.minMatch }
  const encoder = createZstdCompress({
    chunkSize: MiB,
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: 1, ...(level === tunedLevel && tuned) },
  })
  return through(coalesce(plain, MiB), encoder, compressionFailed)
}

/** The dump is born with the compressor's input as its output: nothing of it can be read ahead and lost. */
async function* compressProcess(
  command: string,
  level: number,
  from: ChildOutput,
  ctx: RunContext,
): AsyncGenerator<Uint8Array> {
  const threads = Math.min(availableParallelism(), maxThreads)
  const tuned = `--zstd=clog=${forDumps.chainLog},mml=${forDumps.minMatch}`
  const args = [
    ...[`-${level}`, `-T${threads}`, '--check', '--quiet', '--stdout'],
    ...(level === tunedLevel ? [tuned] : []),
  ]
  using input = await openPipe()
  using output = await openBlockPipe(outputBlock)
  const io = {
    stdin: input?.readEnd ?? 'pipe',
    stdout: output?.writeEnd ?? 'pipe',
    waitsForUs: output?.waitsForUs,
  } as const
  const compressor = startChild({ name: 'zstd', command, args }, io, ctx)
  const sink = input?.writeEnd ?? compressor.stdin
  if (sink !== undefined) from.startInto(sink)
  yield* endAfter(readFromChild(compressor, { from: output }), from.done)
}

/** Bytes of the compressed stream at a time. Its blocks are filled again once they are stored. */
const outputBlock = MiB / 4

/**
 * What the default level does otherwise: a second table twice as large, and no matches below 6 bytes. Rows of a table
 * repeat each other in longer pieces than files do: dumps come out up to 2 % smaller in the same time. (A larger first
 * table would fall out of the processor's cache: beside a database server that costs a third more time. A larger
 * window costs 5 % of the time and finds nothing more.)
 */
const tunedLevel = 3
const forDumps = { chainLog: 17, minMatch: 6 } as const

/** Beyond these no dump delivers fast enough, and each takes its own buffers. */
const maxThreads = 8
