import { existsSync } from 'node:fs'
import { copyFile, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defineConfig } from 'tsup'

/**
 * One build for every package: ESM for Node, dependencies left outside; tsc writes the declarations.
 *
 * zod is taken in, as far as it is used: left outside, its hundred files (most of them translations) take longer to
 * load than the rest of a backup's start. So is age-encryption: whole, it takes a tenth of a second of every encrypted
 * backup.
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
    noExternal: ['zod', 'age-encryption'],
    // Their licences go with them.
    async onSuccess() {
      if (existsSync('node_modules/zod')) await copyFile('node_modules/zod/LICENSE', 'dist/third-party-zod.txt')
      if (existsSync('node_modules/age-encryption')) await writeFile('dist/third-party-age.txt', await ageLicences())
    },
  })
}

/** Of the library and of what it is made of, which lies beside it. */
async function ageLicences(): Promise<string> {
  const beside = join(await realpath('node_modules/age-encryption'), '..')
  const names = [
    'age-encryption',
    '@noble/ciphers',
    '@noble/curves',
    '@noble/hashes',
    '@noble/post-quantum',
    '@scure/base',
  ]
  const texts = names.map(async (name) => `${name}\n\n${await readFile(join(beside, name, 'LICENSE'), 'utf8')}`)
  return (await Promise.all(texts)).join('\n\n')
}
