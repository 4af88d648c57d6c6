import type { BackupRecord, CopyVerification, VerifyResult } from '@holdfast/core'
import type { Cli } from '../cli.js'
import { errorDocument } from '../output/errors.js'
import { formatBytes } from '../output/format-bytes.js'
import { describeTest } from '../output/test-restore.js'
import { visible } from '../output/visible.js'

/** What a verification found of one backup, for people. */
export function describeVerification({ backup, status, copies, test }: VerifyResult, { output }: Cli): string {
  const { paint, verbose } = output
  const bytesAreWhole = copies.every((copy) => copy.status !== 'corrupt')
  const state = {
    intact: paint.good('intact'),
    unreadable: paint.warning('not readable everywhere'),
    'assertion-failed': paint.bad('not as it was asserted'),
    corrupt: paint.bad(bytesAreWhole ? 'NOT PROVEN' : 'DAMAGED'),
  }[status]
  const width = Math.max(0, ...copies.map(({ storage }) => storage.length))
  return [
    `Backup ${paint.strong(backup.shortId)} of ${visible(backup.job)} is ${state} (${formatBytes(backup.storedBytes)})`,
    ...copies.flatMap((copy) => {
      const tested = test?.storage === copy.storage ? describeTest(test, paint, verbose) : []
      return [
        `  ${copy.storage.padEnd(width)}  ${describeCopy(copy, backup, paint)}`,
        ...tested.map((line) => `  ${' '.repeat(width)}  ${line}`),
      ]
    }),
  ].join('\n')
}

function describeCopy(copy: CopyVerification, { manifest }: BackupRecord, paint: Cli['output']['paint']): string {
  if (copy.status === 'intact') {
    const wasOpened = copy.parts.length === manifest.parts.length
    return paint.good('intact') + (wasOpened ? '' : ', as stored: no key here opens it')
  }
  const { status, problem = 'no reason was given' } = copy
  const state = status === 'unreadable' ? paint.warning('unreadable') : paint.bad('damaged')
  return `${state}: ${visible(problem)}`
}

/** The same for programs. */
export function verificationDocument({ backup, status, copies, test }: VerifyResult): object {
  const { id, shortId, name, job } = backup
  return { id, shortId, name, job, status, copies: copies.map(copyDocument), ...(test && { test }) }
}

/** An error is told by its message and its code. */
function copyDocument(copy: CopyVerification): object {
  if (copy.status !== 'unreadable') return copy
  const { error, ...rest } = copy
  return { ...rest, ...errorDocument(error) }
}
