import { type ChildProcess, spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import type { Writable } from 'node:stream'
import type { ChildIo, ChildSpec } from './child.js'
import { minimalEnvironment } from './child-environment.js'
import type { PipeEnd } from './child-output.js'
import { dieWithParent } from './die-with-parent.js'
import { requireDescriptors } from './free-descriptors.js'
import { withLargeBuffers } from './large-buffers.js'
import { notStarted } from './not-started.js'

/**
 * Starts a program in a process group of its own.
 *
 * @throws {BackupError} {@link ChildSpec.failure} when the system cannot.
 */
export function spawnGroup(spec: ChildSpec, io: ChildIo): ChildProcess {
  const stdio = [
    forSpawn(io.stdin),
    forSpawn(io.stdout),
    'pipe' as const,
    ...(io.extra ?? []).map(() => 'pipe' as const),
  ]
  const child = attempt(spec, () => {
    requireDescriptors(stdio.length) // before anything is tried out, whose failure would be taken for an answer
    const { command, args } = dieWithParent(spec.largeBuffers ? withLargeBuffers(spec) : spec)
    return spawn(command, [...args], {
      stdio,
      env: { ...minimalEnvironment(), ...spec.env },
      detached: true,
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
    })
  })
  if (spec.nice !== undefined && child.pid !== undefined) lowerPriority(child.pid, spec.nice)
  return child
}

function forSpawn(io: ChildIo['stdin' | 'stdout']): 'ignore' | 'pipe' | Writable | number {
  return isPipeEnd(io) ? io.descriptor : io
}

/** A stream is destroyed, never ended: a shutdown would cut the connection that the child now holds. */
export function closeHere(io: ChildIo['stdin' | 'stdout']): void {
  if (isPipeEnd(io)) io[Symbol.dispose]()
  else if (typeof io === 'object') io.destroy()
}

function isPipeEnd(io: unknown): io is PipeEnd {
  return typeof io === 'object' && io !== null && 'descriptor' in io
}

/** Some failures to start are thrown here, others come later as an event. */
function attempt(spec: ChildSpec, start: () => ChildProcess): ChildProcess {
  try {
    return start()
  } catch (error) {
    throw notStarted(spec.failure ?? 'dump-failed', spec.name, error)
  }
}

function lowerPriority(pid: number, nice: number): void {
  try {
    setPriority(pid, nice)
  } catch {
    // It has ended already, or this user may not raise priorities: neither is worth a failed backup.
  }
}
