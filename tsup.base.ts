import { defineConfig } from 'tsup'

/** One build for every package: ESM for Node, dependencies left outside; tsc writes the declarations. */
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
  })
}
