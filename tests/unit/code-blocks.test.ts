import { describe, expect, it } from 'vitest'
import { codeBlocks, exampleBlocks } from '../../scripts/check/code-blocks.ts'

const fence = '```'

describe('codeBlocks', () => {
  it('finds TypeScript blocks with the line on which they begin', () => {
    const markdown = [
      '# Title',
      `${fence}ts`,
      'const a = 1',
      'const b = 2',
      fence,
      'text',
      `${fence}tsx`,
      '<a />',
      fence,
    ]
    expect(codeBlocks(markdown.join('\n'))).toEqual([
      { line: 3, code: 'const a = 1\nconst b = 2' },
      { line: 8, code: '<a />' },
    ])
  })

  it('leaves other languages and marked fragments out', () => {
    const markdown = [
      `${fence}sh`,
      'npm start',
      fence,
      `${fence}ts ignore`,
      'job.source…',
      fence,
      fence,
      'plain',
      fence,
    ]
    expect(codeBlocks(markdown.join('\n'))).toEqual([])
  })
})

describe('exampleBlocks', () => {
  it('finds the blocks below @example in doc comments, without their stars', () => {
    const source = [
      '/**',
      ' * Does a thing.',
      ` * ${fence}ts`,
      ' * not an example',
      ` * ${fence}`,
      ' * @example',
      ` * ${fence}ts`,
      " * import { thing } from '@holdfast/core'",
      ' * if (thing) {',
      ' *   thing()',
      ' * }',
      ` * ${fence}`,
      ' */',
      'export function thing() {}',
    ]
    expect(exampleBlocks(source.join('\n'))).toEqual([
      { line: 8, code: "import { thing } from '@holdfast/core'\nif (thing) {\n  thing()\n}" },
    ])
  })
})
