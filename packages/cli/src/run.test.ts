import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { run } from './run.js'
import { fakeProject } from './testing/fake-project.js'
import { runIn, testWorld } from './testing/test-world.js'

const commands = ['backup', 'list', 'show', 'restore', 'verify', 'download', 'cat', 'copy', 'doctor']

describe('holdfast', () => {
  it('prints its version', async () => {
    const { code, out } = await runIn({}, '--version')
    expect([code, out]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)])
  })

  it('lists its commands', async () => {
    const { code, out } = await runIn({}, '--help')
    expect(code).toBe(0)
    for (const command of [...commands, 'storage']) expect(out).toMatch(new RegExp(`^ {2}${command} `, 'm'))
  })

  it.each([...commands.map((command) => [command]), ['storage', 'check']])(
    'explains %s %s with an example',
    async (...argv) => {
      const words = argv.filter((word): word is string => typeof word === 'string')
      const { code, out } = await runIn({}, ...words, '--help')
      expect(code).toBe(0)
      expect(out).toContain(`$ holdfast ${words.join(' ')}`)
      expect(out).toContain('--json')
    },
  )

  it.each([
    [[], /Usage: holdfast/],
    [['backpu'], /unknown command 'backpu'.*\n?.*Did you mean backup/],
    [['backup', '--compres', 'x'], /unknown option '--compres'/],
    [['backup', '--schema-only', '--data-only'], /cannot be used with/],
    [['backup', '--min-copies', '0'], /whole number/],
    [['backup', '--tables', ','], /names nothing/],
    [['backup', '--inventory', 'all'], /Allowed choices/],
    [['copy', 'latest'], /required option '--to/],
    [['show'], /missing required argument/],
    [['restore', 'undo', '--dry-run', '--yes'], /option '--dry-run' is one of restore, not of restore undo/],
    [['restore', '--from', './b', 'cleanup', '--all', '--yes'], /option '--from' is one of restore/],
    [['restore', 'cleanup', '--no-owner'], /option '--no-owner' is one of restore/],
  ])('refuses %j with exit code 1', async (argv, message) => {
    const { code, out, err } = await runIn({}, ...argv)
    expect(err).toMatch(message)
    expect([code, out]).toEqual([1, ''])
  })

  it('lists no option of restore for the commands below it but their own', async () => {
    for (const command of ['undo', 'cleanup']) {
      const { out } = await runIn({}, 'restore', command, '--help')
      expect(out.match(/--yes/g)).toHaveLength(1)
      expect(out).toContain('--json')
      expect(out).not.toMatch(/--dry-run|--clean/)
    }
  })

  it('says wrong usage as JSON too', async () => {
    const error = async (...argv: string[]): Promise<unknown> => {
      const { code, json } = await runIn({}, ...argv, '--json')
      expect(code).toBe(1)
      return (json() as { error: unknown }).error
    }
    const [code, hint] = ['config-invalid', 'Run the command with --help to see what it takes.']
    expect(await error('backup', '--too')).toEqual({
      code,
      message: "unknown option '--too'",
      hint: `(Did you mean --to?) ${hint}`,
    })
    expect(await error()).toEqual({ code, message: 'No command was given', hint })
    expect(await error('storage')).toEqual({ code, message: 'No command was given', hint })
  })

  it('never prints a password, wherever it came from', async () => {
    const canary = 'c4n4ry-S3cret'
    const cwd = testWorld().cwd
    writeFileSync(join(cwd, 'url'), `postgres://app:${canary}@127.0.0.1:1/shop\n`)
    const env = { DATABASE_URL: `postgres://app:${canary}@127.0.0.1:1/shop`, S3_SECRET_KEY: canary }
    const said = [
      await runIn({ cwd }, 'backup', `postgres://app:${canary}@127.0.0.1:1/shop`, '--to', './b', '--verbose'),
      await runIn({ cwd }, 'backup', `postgres://app:${canary}@127.0.0.1:1/shop?nonsense=1`, '--to', './b', '--json'),
      await runIn({ cwd }, 'backup', `--tabels=postgres://app:${canary}@h/d`),
      await runIn({ cwd }, 'backup', '--url-file', 'url', '--to', './b', '--json', '--verbose'),
      await runIn({ cwd, env }, 'backup', '--verbose', '--to', `./${canary}`),
      await runIn({ cwd, env }, 'doctor', '--verbose'),
      await runIn({ cwd }, 'restore', '--from', './b', '--into', `postgres://app:${canary}@127.0.0.1:1/x`, '--yes'),
      await runIn({ cwd }, 'list', '--from', `s3://key:${canary}@bucket`),
    ]
    for (const { out, err, code } of said) {
      expect(out + err).not.toContain('c4n4ry')
      expect(code).toBeGreaterThan(0)
    }
    expect(said[0]?.err).toContain('The password on the command line can be seen')
    expect(said.map(({ code }) => code)).toEqual([4, 1, 1, 4, 4, 4, 8, 3])
  })

  it('says no more of an interrupted run than is so', async () => {
    const { cwd, shop } = fakeProject()
    await runIn({ cwd }, 'backup', 'shop')
    const interrupted = async (...argv: string[]): Promise<unknown> => {
      const world = testWorld({ cwd })
      shop.driver.probe = async () => {
        world.interrupt()
        throw new Error('stopped')
      }
      return { code: await run([...argv, '--json'], world), ...JSON.parse(world.out()) }
    }
    const error = (text: string): object => ({ code: 130, error: { code: 'aborted', message: text } })
    expect(await interrupted('restore', '--yes')).toEqual(
      error('Interrupted. The restore was taken back, unless a message above says otherwise.'),
    )
    expect(await interrupted('doctor', 'shop')).toEqual(error('Interrupted.'))
  })

  it('takes a password that is an ordinary word or a name out of URLs alone', async () => {
    const url = 'postgres://warehouse:warehouse@127.0.0.1:1/warehouse'
    for (const env of [{ DATABASE_URL: url }, { DATABASE_URL: url, PGPASSWORD: 'postgres' }]) {
      const { code, out } = await runIn({ env }, 'backup', '--json')
      expect([code, out]).toEqual([4, expect.stringContaining('warehouse')])
      expect(out).not.toContain('***')
    }
  })
})
