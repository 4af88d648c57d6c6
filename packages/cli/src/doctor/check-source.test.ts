import { BackupError, type ClientProgram, createRunContext, type Driver } from '@holdfast/core'
import { expect, it } from 'vitest'
import { fakeProject } from '../testing/fake-project.js'
import { checkSource } from './check-source.js'

const ctx = createRunContext()
const dumper: ClientProgram = { name: 'mysqldump', version: '9.7.4 (Debian)', path: '/usr/bin/mysqldump' }

/** What is found in a database whose driver chooses these programs. */
async function findingsOf(programs: NonNullable<Driver['programs']>, more: Partial<Driver> = {}) {
  const source: Driver = { ...fakeProject().shop.driver, programs, ...more }
  const found = await checkSource('shop', { source, dump: { tables: ['a'] } }, ctx)
  return found.map(({ level, text, advice }) => [level, text, advice].filter((part) => part !== undefined).join(' | '))
}

it('names the programs that were chosen for the server', async () => {
  const requests: unknown[] = []
  const { driver } = fakeProject().shop
  const dump: Driver['dump'] = (request, inner) => {
    requests.push(request)
    return driver.dump(request, inner)
  }
  const found = await findingsOf(async (use) => [use === 'dump' ? dumper : { ...dumper, name: 'mysql' }], { dump })
  expect(found).toContain('good | it can be dumped, with mysqldump 9.7.4 (/usr/bin/mysqldump)')
  expect(found).toContain('good | its backups can be restored, with mysql 9.7.4 (/usr/bin/mysqldump)')
  // Asked for as the job would dump it: SQLite refuses to dump a schema alone.
  expect(requests).toEqual([{ tables: ['a'], inventory: 'none' }])
})

it('passes on what is not as it should be', async () => {
  const missing = new BackupError('tool-missing', { message: 'mysql was not found', hint: 'Install mysql-client.' })
  const found = await findingsOf(async (use) => {
    if (use === 'restore') throw missing
    return [{ ...dumper, warning: 'it is not made for MySQL' }]
  })
  expect(found).toContainEqual(
    expect.stringMatching(/^warning \| it can be dumped.*it is not made for MySQL \| Install/),
  )
  expect(found).toContain('warning | its backups cannot be restored here: mysql was not found | Install mysql-client.')
})

it('is a problem where nothing can dump it', async () => {
  const missing = new BackupError('tool-missing', { message: 'mysqldump was not found', hint: 'Install mysql-client.' })
  const refuse = async (): Promise<never> => {
    throw missing
  }
  const found = await findingsOf(refuse, { dump: refuse })
  expect(found).toContain('problem | mysqldump was not found | Install mysql-client.')
})
