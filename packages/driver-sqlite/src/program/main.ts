// The program that opens SQLite files, in a process of its own. better-sqlite3 is synchronous, and would hold up the
// event loop of an application for as long as an integrity check takes. And where one process has a file open with two
// copies of SQLite (an application with node:sqlite, say), closing it in one drops the locks of the other:
// https://sqlite.org/howtocorrupt.html#multiple_copies_of_sqlite_linked_into_the_same_application
// It may be killed at any moment: SQLite's journal undoes at the next opening what was not committed.
// Imports end in `.ts` here, because Node runs these files as they stand in the tests.
import * as content from './content.ts'
import * as copy from './copy.ts'
import * as look from './look.ts'
import { report } from './words.ts'

/** What the program can be asked to do. Arguments and results are JSON; bytes go to its standard output. */
export type Tasks = typeof content & typeof copy & typeof look
const tasks: Tasks = { ...content, ...copy, ...look }

process.umask(0o077)
const [name, ...args] = JSON.parse(process.env.HOLDFAST_SQLITE_TASK ?? '[]') as [keyof typeof tasks, ...unknown[]]
try {
  const task = tasks[name] as (...given: unknown[]) => unknown
  const result = await task(...args)
  if (result !== undefined) process.stdout.write(JSON.stringify(result))
} catch (error) {
  const { code = '', message } = error as NodeJS.ErrnoException
  report('failure', { code, message })
  process.exitCode = 1
}
