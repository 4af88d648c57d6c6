/** What a check or a test suite came to. A check counts as one; a suite counts each of its tests. */
export interface Outcome {
  readonly name: string
  readonly passed: number
  /** One line for each failure; a check that failed as a whole names itself. */
  readonly failures: readonly string[]
}

/** A check that passed. */
export function pass(name: string): Outcome {
  return { name, passed: 1, failures: [] }
}

/** A check that failed; what was wrong has been printed in full. */
export function fail(name: string, reason?: string): Outcome {
  return { name, passed: 0, failures: [reason === undefined ? name : `${name}: ${reason}`] }
}

/** Prints all failures by name, and the line that ends every run; says whether all passed. */
export function report(outcomes: readonly Outcome[]): boolean {
  const failures = outcomes.flatMap((outcome) => outcome.failures)
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)
  if (failures.length > 0) console.log(`\nFailed:\n${failures.map((failure) => `  ✗ ${failure}`).join('\n')}`)
  console.log(`\n${passed} passed, ${failures.length} failed`)
  return failures.length === 0 && passed > 0
}
