// npm run bench: sets up, then measures. Arguments go to the harness.
import { bootstrap, exitWith } from './bootstrap.mjs'
import { run } from './lib/run.mjs'

await exitWith(async () => {
  const { node, env } = await bootstrap({ purpose: 'bench' })
  const { code } = await run(node, ['bench/src/main.ts', ...process.argv.slice(2)], { env })
  return code
})
