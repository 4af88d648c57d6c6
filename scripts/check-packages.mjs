// pnpm check:packages: sets up, builds, and checks what each package would publish.
import { bootstrap, exitWith } from './bootstrap.mjs'
import { run } from './lib/run.mjs'

await exitWith(async () => {
  const { node, env } = await bootstrap({ purpose: 'test' })
  return (await run(node, ['scripts/check/packages.ts'], { env })).code
})
