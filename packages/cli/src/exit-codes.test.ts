import { type BackupErrorCode, backupErrorCodes } from '@holdfast/core'
import { describe, expect, it } from 'vitest'
import { exitCodeFor, exitCodes } from './exit-codes.js'

describe('exitCodeFor', () => {
  it('gives every code of the closed list a documented exit code, for every command', () => {
    const documented: readonly number[] = Object.values(exitCodes)
    for (const command of [
      'backup',
      'list',
      'show',
      'restore',
      'verify',
      'download',
      'cat',
      'copy',
      'doctor',
      'check',
    ]) {
      for (const code of backupErrorCodes) {
        expect(documented).toContain(exitCodeFor(command, code))
        expect(exitCodeFor(command, code), `${command} ${code}`).not.toBe(exitCodes.done)
      }
    }
  })

  it.each<[string, BackupErrorCode | undefined, number]>([
    ['backup', 'config-invalid', 1],
    ['list', 'storage-config-invalid', 3],
    ['backup', 'storage-denied', 3],
    ['backup', 'storage-identity', 3],
    ['list', 'unavailable', 3],
    ['backup', 'source-unreachable', 4],
    ['backup', 'source-denied', 4],
    ['restore', 'source-denied', 4],
    ['backup', 'source-missing', 4],
    ['backup', 'dump-failed', 5],
    ['backup', 'too-few-copies', 5],
    ['backup', 'unavailable', 5],
    ['backup', 'busy', 5],
    ['backup', 'storage-full', 5],
    ['backup', 'tool-too-old', 5],
    ['restore', 'tool-too-old', 6],
    ['restore', 'target-not-empty', 6],
    ['restore', 'restore-failed', 6],
    ['restore', 'corrupt', 6],
    ['restore', 'unavailable', 6],
    ['verify', 'corrupt', 7],
    ['download', 'corrupt', 7],
    ['show', 'manifest-invalid', 7],
    ['show', 'no-match', 8],
    ['show', 'ambiguous', 8],
    ['backup', 'aborted', 130],
    ['backup', 'internal', 5],
    ['backup', undefined, 5],
    ['restore', undefined, 6],
    ['', undefined, 1],
  ])('%s that ends with %s exits with %i', (command, code, expected) => {
    expect(exitCodeFor(command, code)).toBe(expected)
  })

  it('takes a code that a newer core may have for a failure of the command', () => {
    expect(exitCodeFor('backup', 'of-a-later-version' as BackupErrorCode)).toBe(5)
  })
})
