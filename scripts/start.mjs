// npm start: sets up, then runs the main job end to end on a throwaway PostgreSQL.
import { bootstrap, exitWith } from './bootstrap.mjs'
import { run, say } from './lib/run.mjs'
import { readStartOptions } from './lib/start-options.mjs'

await exitWith(async () => {
  const args = process.argv.slice(2)
  const wanted = readStartOptions(args)
  if (!wanted.start) {
    if (wanted.code === 0) say(wanted.text)
    else process.stderr.write(`${wanted.text}\n`)
    return wanted.code
  }
  const { node, env } = await bootstrap({ purpose: 'start' })
  const { code } = await run(node, ['scripts/demo/main.ts', ...args], { env })
  return code
})
