import { describe, expect, it } from 'vitest'
import { filesOf, textOf } from './checkout.js'
import { importsOf, wrongArrows } from './import-graph.js'

/** The complaints about a workspace of these files. */
function complaints(files: Readonly<Record<string, string>>): string[] {
  return wrongArrows(new Map(Object.entries(files)))
}

describe('the import graph of the packages', () => {
  it('has arrows in one direction only', () => {
    const sources = new Map(filesOf('packages/*/src/**/*.ts').map((file) => [file, textOf(file)]))
    expect(sources.size).toBeGreaterThan(20)
    expect(wrongArrows(sources)).toEqual([])
  })
})

describe('wrongArrows', () => {
  const core = 'packages/core/src'

  it('accepts what points downwards', () => {
    expect(
      complaints({
        [`${core}/byte-stream.ts`]: '',
        [`${core}/codec/zstd.ts`]: "import type { ByteStream } from '../byte-stream.js'",
        [`${core}/layout/whole.ts`]: "import { zstd } from '../codec/zstd.js'",
        [`${core}/engine/run-backup.ts`]: "import { whole } from '../layout/whole.js'",
        [`${core}/holdfast.ts`]: "import { runBackup } from './engine/run-backup.js'",
        [`${core}/index.ts`]: "export * from './holdfast.js'",
        'packages/storage-local/src/index.ts': "import { named } from '@holdfast/core'",
        'packages/cli/src/main.ts': "import { local } from '@holdfast/storage-local'",
      }),
    ).toEqual([])
  })

  it.each([
    ['a contract imports a part', `${core}/driver/driver.ts`, '../driver/child-process.js'],
    ['a file at the top imports a part', `${core}/byte-stream.ts`, './stream/meter.js'],
    ['a part imports the layout', `${core}/codec/zstd.ts`, '../layout/whole-object-layout.js'],
    ['the layout imports the engine', `${core}/layout/layout.ts`, '../engine/job.js'],
    ['the engine imports the facade', `${core}/engine/run-backup.ts`, '../holdfast.js'],
    ['the engine imports the index', `${core}/engine/run-backup.ts`, '../index.js'],
    ['code imports the testing kit', `${core}/engine/run-backup.ts`, '../testing/fake-clock.js'],
    ['core imports a plugin', `${core}/holdfast.ts`, '@holdfast/storage-local'],
    ['core imports the CLI', `${core}/holdfast.ts`, 'holdfast'],
    ['a plugin imports a plugin', 'packages/driver-postgres/src/dump.ts', '@holdfast/storage-s3'],
    ['a plugin imports the kit', 'packages/driver-postgres/src/dump.ts', '@holdfast/core/testing'],
    ['code imports test support', 'packages/cli/src/main.ts', '@holdfast/test-support'],
    ["a package reaches into a sibling's sources", 'packages/cli/src/main.ts', '@holdfast/core/src/holdfast.js'],
    ["a test reaches into a sibling's build", 'packages/cli/src/main.test.ts', '@holdfast/core/dist/index.js'],
    ['a path leaves the package', 'packages/cli/src/main.ts', '../../core/src/holdfast.js'],
    ['a test leaves the package', 'packages/cli/src/main.test.ts', '../../core/src/holdfast.js'],
    ['a folder without a layer', `${core}/misc/helpers.ts`, '../byte-stream.js'],
  ])('refuses: %s', (_, from, to) => {
    expect(complaints({ [from]: `import { x } from '${to}'` })).toHaveLength(1)
  })

  it('refuses a type import and a dynamic import as well', () => {
    expect(complaints({ [`${core}/layout/a.ts`]: "import type { Job } from '../engine/job.js'" })).toHaveLength(1)
    expect(complaints({ [`${core}/layout/a.ts`]: "const job = await import('../engine/job.js')" })).toHaveLength(1)
  })

  it('refuses a cycle, and names it once', () => {
    const files = {
      [`${core}/engine/a.ts`]: "import { b } from './b.js'",
      [`${core}/engine/b.ts`]: "import { c } from './c.js'",
      [`${core}/engine/c.ts`]: "import { a } from './a.js'",
    }
    expect(complaints(files)).toEqual([
      `import cycle: ${core}/engine/a.ts → ${core}/engine/b.ts → ${core}/engine/c.ts → ${core}/engine/a.ts`,
    ])
  })

  it('lets tests use the kit, test support and plugins', () => {
    const imports = ['@holdfast/core/testing', '@holdfast/test-support', '@holdfast/storage-local']
    const source = imports.map((name) => `import { x } from '${name}'`).join('\n')
    expect(complaints({ 'packages/driver-postgres/src/dump.integration.test.ts': source })).toEqual([])
  })
})

describe('importsOf', () => {
  it('finds every form over several lines, and none in comments', () => {
    const source = [
      "import a from 'a'",
      "import {\n  b,\n  type B,\n} from 'b'",
      "import 'c'",
      "export * from 'd'",
      "export type { E } from 'e'",
      "const f = await import('f')",
      "/**\n * import { g } from 'g'\n */",
      "// import h from 'h'",
      "export const from = 'i'",
    ].join('\n')
    expect(importsOf(source).sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })
})
