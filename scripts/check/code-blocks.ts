/** A block of code, and the line of the file on which it begins (counted from 1). */
export interface CodeBlock {
  readonly line: number
  readonly code: string
}

/** The ```ts blocks of a Markdown text, without those that say ```ts ignore. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return fencedBlocks(markdown.split('\n'), 1)
}

/** The ```ts blocks below `@example` in the doc comments of a source file. */
export function exampleBlocks(source: string): CodeBlock[] {
  return [...source.matchAll(/\/\*\*[\s\S]*?\*\//g)]
    .filter(([comment]) => comment.includes('@example'))
    .flatMap((match) => {
      const firstLine = source.slice(0, match.index).split('\n').length
      const lines = match[0].split('\n').map((line) => line.replace(/^\s*\* ?/, ''))
      const example = lines.findIndex((line) => line.includes('@example'))
      return fencedBlocks(lines.slice(example), firstLine + example)
    })
}

function fencedBlocks(lines: readonly string[], firstLine: number): CodeBlock[] {
  const blocks: CodeBlock[] = []
  let open: { fence: string; line: number; wanted: boolean; code: string[] } | undefined
  for (const [index, line] of lines.entries()) {
    const fence = /^\s*(`{3,})(.*)$/.exec(line)
    if (open === undefined) {
      if (fence === null) continue
      const wanted = /^(ts|typescript|tsx)\s*$/.test((fence[2] ?? '').trim())
      open = { fence: fence[1] ?? '', line: firstLine + index + 1, wanted, code: [] }
    } else if (fence !== null && fence[1] === open.fence && fence[2]?.trim() === '') {
      if (open.wanted) blocks.push({ line: open.line, code: open.code.join('\n') })
      open = undefined
    } else {
      open.code.push(line)
    }
  }
  return blocks
}
