#!/usr/bin/env node
// Nothing is imported before the version is known to fit: an older Node must be able to read this file and say so.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `holdfast needs Node.js 22.18 or newer; this is ${process.version} (${process.execPath}).\n` +
      'Install a newer one from https://nodejs.org, or run: npx -y -p node@24 -p holdfast holdfast\n',
  )
  process.exitCode = 1
} else {
  import('./compile-cache.js').then(async ({ useCompileCache }) => {
    useCompileCache(process.env)
    const { main } = await import('./main.js')
    await main()
  })
}

export {}
