import { BackupError } from '@holdfast/core'
import type { RestoreJob } from './restore-job.js'

/** Combinations that no tool can restore, refused before a server is asked. */
export function refuseImpossible({ dump, request, from }: RestoreJob): void {
  const refuse = (message: string, hint: string): never => {
    throw new BackupError('restore-refused', { message, hint })
  }
  const { mode, sections = 'all', tables } = request
  if (sections === 'data' && mode !== 'append') {
    refuse(`Data alone cannot be restored with mode ${mode}`, 'Restore data into tables that exist, with mode append.')
  }
  if (dump.format === 'custom') return
  if (tables || sections !== 'all') {
    refuse(
      'A plain dump can only be restored whole',
      'Restore it into a new database, and copy from there what you need.',
    )
  }
  if (mode === 'clean' && from.manifest.options.clean !== true) {
    refuse('This plain dump was made without statements that drop objects', 'Restore with mode staged or replace.')
  }
  if (mode === 'append' && from.manifest.options.clean === true) {
    refuse(
      'This plain dump begins with statements that drop objects, which append must not do',
      'Restore it into a new database, or with mode clean.',
    )
  }
}
