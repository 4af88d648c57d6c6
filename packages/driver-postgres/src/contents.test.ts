import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunContext, type ManifestPart, streamOf } from '@holdfast/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { check } from './contents.js'

let binDir: string
beforeEach(() => {
  binDir = mkdtempSync(join(tmpdir(), 'holdfast-test-'))
})
afterEach(() => rmSync(binDir, { recursive: true }))

describe('check', () => {
  it.each([
    ['cat > /dev/null; echo "pg_restore: error: could not read from input file: end of file" >&2; exit 1', 'corrupt'],
    ['echo "pg_restore: error: input file does not appear to be a valid archive" >&2; exit 1', 'corrupt'],
    ['echo "pg_restore: error: unsupported version (1.99) in file header" >&2; exit 1', 'tool-too-old'],
    ['echo "pg_restore: error: out of memory" >&2; exit 1', 'internal'],
    ['kill -9 $$', 'internal'],
    ['kill -11 $$', 'internal'],
    ['exit 3', 'internal'],
    ['echo "error while loading shared libraries: libpq.so.5" >&2; exit 127', 'tool-missing'],
  ])('of a pg_restore that does %j is %s', async (behaviour, code) => {
    const program = join(binDir, 'pg_restore')
    writeFileSync(
      program,
      `#!/bin/sh\nif [ "$1" = --version ]; then echo "pg_restore (PostgreSQL) 15.0"; exit; fi\n${behaviour}\n`,
    )
    chmodSync(program, 0o755)
    const part = { name: 'dump' } as ManifestPart
    const checking = check(part, streamOf(Buffer.from('PGDMP')), { binDir }, createRunContext())
    await expect(checking).rejects.toMatchObject({ code })
  })
})
