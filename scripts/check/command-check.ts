import { run } from '../lib/run.mjs'
import { fail, type Outcome, pass } from './tally.ts'

const tenMinutes = 600_000

/** Runs a program whose exit code is the verdict, and prints what it said only when it failed. */
export async function commandCheck(name: string, command: string, args: readonly string[]): Promise<Outcome> {
  const { code, output } = await run(command, args, { quiet: true, timeoutMs: tenMinutes })
  if (code === 0) return passed(name)
  console.log(output.trimEnd())
  return failed(name, `${command} ${args.join(' ')} ended with code ${code}`)
}

/** Runs a function that throws with the whole explanation when something is wrong. */
export async function functionCheck(name: string, work: () => Promise<void>): Promise<Outcome> {
  try {
    await work()
    return passed(name)
  } catch (error) {
    return failed(name, error instanceof Error ? error.message : String(error))
  }
}

function passed(name: string): Outcome {
  console.log(`✓ ${name}`)
  return pass(name)
}

function failed(name: string, explanation: string): Outcome {
  console.log(`✗ ${name}\n${explanation}\n`)
  return fail(name)
}
