import { execFile } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PipeEnd } from './child-output.js'
import { findProgram } from './find-program.js'
import { requireDescriptors } from './free-descriptors.js'
import { privateDirectory } from './private-file.js'

/** A pipe of the kernel, as a shell makes them. */
export interface KernelPipe extends Disposable {
  readonly readEnd: PipeEnd
  readonly writeEnd: PipeEnd
}

/**
 * Opens a pipe between two children, or between a child and this process.
 *
 * What Node calls a pipe is a pair of sockets, which costs a dump a tenth of its time: each small write of the dump
 * program is a message of its own there. Node cannot make a real one, but it can open one that has a name.
 *
 * @returns `undefined` where that cannot be done: without `mkfifo`, or where no file system takes one.
 */
export async function openPipe(): Promise<KernelPipe | undefined> {
  const mkfifo = findProgram('mkfifo')
  if (mkfifo === undefined) return undefined
  const ends: PipeEnd[] = []
  const close = (): void => {
    for (const end of ends) end[Symbol.dispose]()
  }
  try {
    await using directory = await privateDirectory()
    const path = join(directory.path, 'pipe')
    requireDescriptors(3)
    await promisify(execFile)(mkfifo, [path], { env: {} })
    const open = (flags: number): PipeEnd => {
      const end = pipeEnd(openSync(path, flags))
      ends.push(end)
      return end
    }
    // To open either end alone would wait for the other, but for a reader that says it will not.
    const readEnd = open(constants.O_RDONLY | constants.O_NONBLOCK)
    const writeEnd = open(constants.O_WRONLY)
    return { readEnd, writeEnd, [Symbol.dispose]: close }
  } catch {
    close()
    return undefined
  }
}

function pipeEnd(descriptor: number): PipeEnd {
  let open = true
  return {
    descriptor,
    [Symbol.dispose]() {
      if (open) closeSync(descriptor)
      open = false
    },
  }
}
