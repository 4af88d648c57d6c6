// npm start: sets up, then runs the main job end to end on a throwaway PostgreSQL. --once exits when it is done.
import { bootstrap, exitWith } from './bootstrap.mjs'
import { run } from './lib/run.mjs'

await exitWith(async () => {
  const { node, env } = await bootstrap({ purpose: 'start' })
  const { code } = await run(node, ['scripts/demo/main.ts', ...process.argv.slice(2)], { env })
  return code
})
