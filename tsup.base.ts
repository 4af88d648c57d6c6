import { existsSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { defineConfig } from 'tsup'

/**
 * One build for every package: ESM for Node, dependencies left outside; tsc writes the declarations.
 *
 * zod is taken in, as far as it is used: left outside, its hundred files (most of them translations) take longer to
 * load than the rest of a backup's start.
 */
export function packageBuild(entry: Record<string, string>): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: 'esm',
    target: 'node22',
    dts: false,
    clean: true,
    sourcemap: true,
    splitting: true,
    silent: true,
    noExternal: ['zod'],
    // Its licence goes with it.
    async onSuccess() {
      if (existsSync('node_modules/zod')) await copyFile('node_modules/zod/LICENSE', 'dist/third-party-zod.txt')
    },
  })
}
