import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BackupError, type BackupErrorCode, isBackupError } from '../backup-error.js'
import { createRunContext } from '../run-context.js'
import { Secret } from '../secret.js'
import { createFakeClock } from '../testing/fake-clock.js'
import type { Child, ChildSpec } from './child.js'
import { killAndWait, startChild } from './child-process.js'

const ctx = createRunContext()
const silent = { stdin: 'ignore', stdout: 'ignore' } as const
const shell = (script: string, more: Partial<ChildSpec> = {}): ChildSpec => {
  return { name: 'script', command: '/bin/sh', args: ['-c', script], ...more }
}
const withCode = (code: BackupErrorCode) => expect.toSatisfy((error) => isBackupError(error, code))

/** Starts a shell script and waits until it says so. */
async function started(script: string, more: Partial<ChildSpec> = {}, given = ctx): Promise<Child> {
  const ready = Promise.withResolvers<void>()
  const child = startChild(shell(`${script}`, { ...more, onStderrLine: () => ready.resolve() }), silent, given)
  await ready.promise
  return child
}
const sleeper = 'echo ready >&2; exec sleep 1000'

describe('startChild', () => {
  it('resolves with the exit, and reports messages as they come', async () => {
    const lines: string[] = []
    const spec = shell('echo one >&2; echo two >&2', { onStderrLine: (line) => lines.push(line) })
    const child = startChild(spec, silent, ctx)
    expect(child.pid).toBeGreaterThan(0)
    expect(await child.done).toEqual({ code: 0, signal: null, stderrTail: 'one\ntwo' })
    expect(lines).toEqual(['one', 'two'])
    expect([child.stdin, child.stdout]).toEqual([undefined, undefined])
    child.kill() // too late to matter
  })

  it('passes arguments as they are, and only the environment it was given', async () => {
    vi.stubEnv('PGPASSWORD', 'secret')
    const spec = {
      name: 'env',
      command: '/usr/bin/env',
      args: ['sh', '-c', 'echo "$1" >&2; env >&2', '-', '$HOME; `id`'],
    }
    const { stderrTail } = await startChild({ ...spec, env: { PGHOST: 'db' }, cwd: '/' }, silent, ctx).done
    vi.unstubAllEnvs()
    expect(stderrTail).toMatch(/^\$HOME; `id`\n/)
    expect(stderrTail).toContain('PGHOST=db')
    expect(stderrTail).toContain('LC_ALL=C.UTF-8')
    expect(stderrTail).not.toContain('secret')
  })

  it('gives further descriptors: a secret that is in no argument, and lines that are no messages', async () => {
    const said: string[] = []
    const extra = [
      { kind: 'lines' as const, onLine: (line: string) => said.push(line) },
      { kind: 'secret' as const, content: new Secret('open sesame') },
    ]
    const child = startChild(shell('read word <&4; echo "got $word" >&3; echo message >&2'), { ...silent, extra }, ctx)
    expect((await child.done).stderrTail).toBe('message')
    expect(said).toEqual(['got open sesame'])
    const deaf = startChild(shell('exit 0'), { ...silent, extra }, ctx)
    expect(await deaf.done).toMatchObject({ code: 0 })
  })

  it('rejects when the child fails, with the end of what it said', async () => {
    const error = await startChild(shell('echo no space left >&2; exit 3'), silent, ctx).done.catch((e) => e)
    expect(error).toEqual(withCode('dump-failed'))
    expect(error.message).toBe('script ended with exit code 3: no space left')
    const quiet = startChild(shell('exit 1', { failure: 'restore-failed' }), silent, ctx)
    await expect(quiet.done).rejects.toMatchObject({ code: 'restore-failed', message: 'script ended with exit code 1' })
  })

  it('rejects when something else killed the child, and says what that may mean', async () => {
    await expect(startChild(shell('kill -9 $$'), silent, ctx).done).rejects.toMatchObject({
      message: 'script was ended by SIGKILL',
      hint: expect.stringContaining('memory'),
      retryable: true,
    })
    await expect(startChild(shell('kill -15 $$'), silent, ctx).done).rejects.toMatchObject({
      hint: undefined,
      retryable: true,
    })
    await expect(startChild(shell('kill -11 $$'), silent, ctx).done).rejects.toMatchObject({ retryable: false })
  })

  it('lets the caller judge', async () => {
    const classify: ChildSpec['classify'] = ({ stderrTail }) =>
      stderrTail.includes('password') ? new BackupError('source-denied', { message: stderrTail }) : undefined
    const run = (script: string, more: Partial<ChildSpec> = {}) =>
      startChild(shell(script, { classify, ...more }), silent, ctx).done
    await expect(run('echo wrong password >&2; exit 1')).rejects.toEqual(withCode('source-denied'))
    await expect(run('echo wrong password >&2')).rejects.toEqual(withCode('source-denied'))
    await expect(run('exit 1')).rejects.toEqual(withCode('dump-failed'))
    expect(await run('exit 1', { okExitCodes: [0, 1] })).toMatchObject({ code: 1 })
  })

  it('throws for a program that is not there', () => {
    for (const command of ['/missing/pg_dump', '/etc/passwd', '/etc']) {
      const start = (): Child => startChild({ name: 'pg_dump', command, args: [] }, silent, ctx)
      expect(start).toThrow(withCode('tool-missing'))
    }
  })

  it('rejects when the system cannot start it', async () => {
    const child = startChild(shell('true', { cwd: '/missing', idleTimeoutMs: 10, nice: 5 }), silent, ctx)
    expect(child.pid).toBeUndefined()
    child.touch()
    child.kill()
    await expect(child.done).rejects.toMatchObject({
      code: 'dump-failed',
      message: expect.stringContaining('could not be started'),
    })
    expect(() => startChild(shell('\0'), silent, ctx)).toThrow(withCode('dump-failed'))
  })

  it('sets the priority', async () => {
    const io = { stdin: 'pipe', stdout: 'ignore' } as const
    const child = startChild(shell('read line; nice >&2', { nice: 7 }), io, ctx)
    child.stdin?.write('go on\n')
    expect((await child.done).stderrTail).toBe('7')
  })

  it('does without a priority that it cannot set', async () => {
    expect(await startChild(shell('true', { nice: 1_000 }), silent, ctx).done).toMatchObject({ code: 0 })
  })

  it('kills the child when the reader of its messages throws, and hands that on', async () => {
    const spec = shell('echo bad >&2; exec sleep 1000', {
      onStderrLine: () => {
        throw new Error('policy')
      },
    })
    await expect(startChild(spec, silent, ctx).done).rejects.toThrow('policy')
  })

  it('is not held up by a stranger who keeps standard error', async () => {
    const clock = createFakeClock()
    const child = startChild(shell('setsid sleep 1000 & echo $! >&2'), silent, createRunContext({ clock }))
    let settled = false
    void child.done.then(() => {
      settled = true
    })
    await vi.waitUntil(async () => {
      await clock.advance(1_000)
      return settled
    }, 20_000)
    const { stderrTail } = await child.done
    process.kill(Number(stderrTail), 'SIGKILL')
  })
})

describe('the end of a child', () => {
  it('comes with an abort, whose reason is rethrown untouched', async () => {
    const controller = new AbortController()
    const child = await started(sleeper, {}, createRunContext({ signal: controller.signal }))
    controller.abort('enough')
    await expect(child.done).rejects.toBe('enough')
    expect(() => process.kill(child.pid ?? 0, 0)).toThrow('ESRCH')
  })

  it('is there before the beginning when the run was aborted already', () => {
    const aborted = createRunContext({ signal: AbortSignal.abort('enough') })
    expect(() => startChild(shell('true'), silent, aborted)).toThrow('enough')
  })

  it('is SIGTERM first, SIGKILL after the grace', async () => {
    const clock = createFakeClock()
    const child = await started(
      'trap "" TERM; echo ready >&2; while :; do sleep 0.01; done',
      {},
      createRunContext({ clock }),
    )
    child.kill(new Error('first'))
    child.kill(new Error('second'))
    await clock.advance(4_999)
    expect(process.kill(child.pid ?? 0, 0)).toBe(true)
    await clock.advance(1)
    await expect(child.done).rejects.toThrow('first')
  })

  it('lets the child say goodbye', async () => {
    const child = await started('trap "exit 0" TERM; echo ready >&2; while :; do sleep 0.01; done')
    await expect(killAndWait(child)).resolves.toBeUndefined()
    await expect(child.done).rejects.toEqual(withCode('aborted'))
  })
})

describe('limits', () => {
  const watched = async (script: string, more: Partial<ChildSpec>) => {
    const clock = createFakeClock()
    return { clock, child: await started(script, more, createRunContext({ clock })) }
  }

  it('end a child that moves nothing', async () => {
    const { clock, child } = await watched(sleeper, { idleTimeoutMs: 1_000 })
    let hasEnded = false
    child.done.catch(() => {
      hasEnded = true
    })
    // Bytes that it read for its start count for the first of these seconds, on a slow machine for several.
    await vi.waitUntil(() => clock.advance(1_000).then(() => hasEnded), { interval: 10, timeout: 20_000 })
    await expect(child.done).rejects.toMatchObject({ code: 'timed-out', retryable: true })
  })

  it('leave a child alone whose bytes somebody sees', async () => {
    const { clock, child } = await watched(sleeper, { idleTimeoutMs: 1_000 })
    for (let i = 0; i < 20; i++) {
      await clock.advance(900)
      child.touch()
    }
    expect(process.kill(child.pid ?? 0, 0)).toBe(true)
    await killAndWait(child)
  })

  it.runIf(process.platform === 'linux')('leave a child alone that moves bytes unseen', async () => {
    const { clock, child } = await watched('echo ready >&2; exec cat /dev/zero > /dev/null', { idleTimeoutMs: 1_000 })
    const bytesRead = (): string => readFileSync(`/proc/${child.pid}/io`, 'utf8').split('\n')[0] ?? ''
    for (let i = 0; i < 5; i++) {
      const before = bytesRead()
      await vi.waitUntil(() => bytesRead() !== before, { interval: 1, timeout: 20_000 })
      await clock.advance(1_000)
    }
    expect(process.kill(child.pid ?? 0, 0)).toBe(true)
    await killAndWait(child)
  })

  it('leave a child alone that waits for us', async () => {
    const clock = createFakeClock()
    const io = { stdin: 'ignore', stdout: 'pipe' } as const
    const child = startChild(shell('yes', { idleTimeoutMs: 1_000 }), io, createRunContext({ clock }))
    await vi.waitUntil(() => (child.stdout?.readableLength ?? 0) > 0, 20_000)
    await clock.advance(10_000)
    expect(process.kill(child.pid ?? 0, 0)).toBe(true)
    await killAndWait(child)
  })

  it('end a child that takes too long in all', async () => {
    const { clock, child } = await watched(sleeper, { totalTimeoutMs: 5_000 })
    await clock.advance(4_999)
    child.touch()
    await clock.advance(1)
    await expect(child.done).rejects.toMatchObject({ code: 'timed-out', message: expect.stringContaining('5 s') })
  })
})

describe('what a child started, and who started it', () => {
  let server: Server
  let port: number
  const caller = `${process.execPath} -e "require('net').connect(PORT, '127.0.0.1'); setInterval(() => {}, 1000)"`

  beforeEach(async () => {
    server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as { port: number }).port
  })
  afterEach(() => {
    server.close()
  })
  /** Resolves with the connection of a process that lives as long as its connection does. */
  const call = async (): Promise<Socket> => {
    const [socket] = (await once(server, 'connection')) as [Socket]
    socket.on('error', () => {})
    return socket.resume()
  }

  it('the whole group is killed', async () => {
    const child = startChild(shell(`${caller.replace('PORT', `${port}`)} & wait`), silent, ctx)
    const socket = await call()
    const closed = once(socket, 'close')
    await killAndWait(child)
    await closed
  })

  it('what ignores SIGTERM in the group goes when the child is gone', async () => {
    const stubborn = caller.replace('PORT', `${port}`).replace('require', "process.on('SIGTERM', () => {}); require")
    const child = startChild(shell(`${stubborn} & wait`), silent, ctx)
    const socket = await call()
    const closed = once(socket, 'close')
    await killAndWait(child)
    await closed
  })

  // Runs the sources in a process of their own: `.js` in an import is the `.ts` beside it.
  const hooks = `import { registerHooks } from 'node:module'
    registerHooks({ resolve: (name, context, next) => next(/^\\.+\\//.test(name) ? name.replace(/\\.js$/, '.ts') : name, context) })`
  const startAndThen = (then: string): string => `
    import { startChild } from ${JSON.stringify(new URL('./child-process.ts', import.meta.url).href)}
    import { createRunContext } from ${JSON.stringify(new URL('../run-context.ts', import.meta.url).href)}
    const command = { name: 'child', command: process.execPath, args: ['-e', ${JSON.stringify(`require('net').connect(${port}, '127.0.0.1'); setInterval(() => {}, 1000)`)}] }
    startChild(command, { stdin: 'ignore', stdout: 'ignore' }, createRunContext())
    ${then}`
  const parent = (then: string, env: NodeJS.ProcessEnv = process.env) => {
    const hook = `data:text/javascript,${encodeURIComponent(hooks)}`
    const args = ['--import', hook, '--input-type=module', '-e', startAndThen(then)]
    return spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'], env })
  }

  it.runIf(process.platform === 'linux')('a child dies with us, even by SIGKILL', async () => {
    const calling = call()
    const us = parent('setInterval(() => {}, 1000)')
    const closed = once(await calling, 'close')
    us.kill('SIGKILL')
    await closed
  })

  it('a child dies when we exit, also without setpriv', async () => {
    const calling = call()
    const us = parent(`process.stdin.on('end', () => process.exit(0)).resume()`, { PATH: '/missing' })
    const closed = once(await calling, 'close')
    us.stdin?.end()
    await closed
  })
})
