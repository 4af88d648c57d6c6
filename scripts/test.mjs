// npm test: sets up, checks and tests everything. Arguments go to vitest: npm test -- --project unit packages/core
import { bootstrap, exitWith } from './bootstrap.mjs'
import { run } from './lib/run.mjs'

await exitWith(async () => {
  const tools = await bootstrap({ purpose: 'test', build: false }).catch((error) => {
    process.stderr.write(`✗ set-up\n${error.message}\n\n`)
  })
  if (tools === undefined) {
    process.stdout.write('0 passed, 1 failed\n')
    return 1
  }
  const { code } = await run(tools.node, ['scripts/check/main.ts', ...process.argv.slice(2)], { env: tools.env })
  return code
})
