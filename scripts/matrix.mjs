// npm run test:matrix: the drivers' tests on real servers of other versions than this system's. Debian, x86-64, as root.
import { bootstrap, exitWith } from './bootstrap.mjs'
import { run } from './lib/run.mjs'
import { ensureSystemPackages } from './lib/system-packages.mjs'

await exitWith(async () => {
  const tools = await bootstrap({ purpose: 'test', build: false })
  await ensureSystemPackages('matrix')
  const { code } = await run(tools.node, ['scripts/matrix/main.ts', ...process.argv.slice(2)], { env: tools.env })
  return code
})
