import { spawnSync } from 'node:child_process'
import { findProgram } from './find-program.js'

/** Program and arguments, as `spawn` takes them. */
export interface CommandLine {
  readonly command: string
  readonly args: readonly string[]
}

let setpriv: string | false | undefined

/**
 * Wraps a command so that the kernel kills it when this process dies, even by SIGKILL: a dump must not go on holding
 * its snapshot, nor a restore its locks, for nobody. Needs `setpriv` of util-linux (BusyBox's cannot do it); without
 * it the command is returned as it is, and a child ends when it finds its pipes closed.
 */
export function dieWithParent({ command, args }: CommandLine): CommandLine {
  setpriv ??= usableSetpriv()
  return setpriv === false ? { command, args } : { command: setpriv, args: [...deathSignal, '--', command, ...args] }
}

const deathSignal = ['--pdeathsig', 'KILL']

function usableSetpriv(): string | false {
  const program = process.platform === 'linux' ? findProgram('setpriv') : undefined
  if (program === undefined) return false
  return (
    spawnSync(program, [...deathSignal, '--', program, '--version'], { stdio: 'ignore', env: {} }).status === 0 &&
    program
  )
}

const liveGroups = new Set<number>()

/** Kills the process group when this process exits by itself, until the returned function is called. */
export function killOnExit(group: number): () => void {
  if (liveGroups.size === 0) process.on('exit', killLiveGroups)
  liveGroups.add(group)
  return () => {
    liveGroups.delete(group)
    if (liveGroups.size === 0) process.off('exit', killLiveGroups)
  }
}

function killLiveGroups(): void {
  for (const group of liveGroups) signalGroup(group, 'SIGKILL')
}

/** Sends a signal to every process of a group; one that is gone already is no error. */
export function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal)
  } catch {
    // gone already
  }
}
