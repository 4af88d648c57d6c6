import { describe, expect, it } from 'vitest'
import { filesOf, textOf, withoutComments } from './checkout.js'

const sources = filesOf('packages/*/src/**/*.{ts,tsx}', 'tests/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.{ts,mjs}')
const maximumLines = 400

/** The statements of an index that are no exports from elsewhere. */
function otherStatements(source: string): string {
  return withoutComments(source)
    .replace(/^export\s+(type\s+)?(\*(\s+as\s+\w+)?|\{[^}]*\})(\s+from\s+'[^']+')?;?/gm, '')
    .trim()
}

describe('the rules of the repository', () => {
  it('finds the sources', () => {
    expect(sources.length).toBeGreaterThan(50)
  })

  it(`has no file over ${maximumLines} lines`, () => {
    expect(sources.filter((file) => textOf(file).trimEnd().split('\n').length > maximumLines)).toEqual([])
  })

  it('exports nothing by default outside of configuration files', () => {
    const exporting = sources.filter((file) => /^export default\b/m.test(withoutComments(textOf(file))))
    expect(exporting.filter((file) => !file.endsWith('.config.ts'))).toEqual([])
  })

  it('has index files that only export', () => {
    const indexes = filesOf('packages/*/src/**/index.ts', 'tests/support/src/index.ts')
    expect(indexes.filter((file) => otherStatements(textOf(file)) !== '')).toEqual([])
  })

  it('skips no test and runs none alone, but where the platform lacks what is tested', () => {
    // Put together here, so that this file does not name what it looks for.
    const shortcut = new RegExp(
      `\\b(it|test|describe)\\.(${['skip', 'only', 'todo', 'fails'].join('|')})\\b|\\b(skip|run)If\\((?!process\\.platform)`,
    )
    const tests = sources.filter((file) => file.endsWith('.test.ts'))
    expect(tests.filter((file) => shortcut.test(withoutComments(textOf(file))))).toEqual([])
  })
})

describe('otherStatements', () => {
  it('leaves exports out and keeps the rest', () => {
    const exports =
      "export * from './a.js'\nexport type { B } from './b.js'\nexport {\n  c,\n} from './c.js'\nexport {}\n"
    expect(otherStatements(exports)).toBe('')
    expect(otherStatements(`${exports}export const d = 1`)).toBe('export const d = 1')
    expect(otherStatements("import { e } from './e.js'")).toBe("import { e } from './e.js'")
  })
})
