import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run, say } from './run.mjs'

/**
 * What the checkout needs of the system, in one place: the Debian package, what it is for, and how to see that it is
 * there (whoever installed it).
 */
const needed = [
  {
    debian: ['postgresql', 'postgresql-contrib'],
    what: 'a PostgreSQL server with its client tools',
    for: ['start', 'test', 'bench'],
    present: () => inPostgresBin('postgres') && inPostgresBin('pg_dump') && hasExtension('pgcrypto'),
  },
  {
    debian: ['mariadb-server', 'mariadb-client'],
    what: 'a MariaDB server with its client tools',
    for: ['test'],
    present: () => onPath('mariadb-dump') && onPath('mariadb-install-db') && hasMariadbd(),
  },
  { debian: ['zstd'], what: 'the zstd program', for: ['start', 'test', 'bench'], present: () => onPath('zstd') },
  {
    debian: ['age'],
    what: 'the age program, to open what is encrypted here',
    for: ['test', 'bench'],
    present: () => onPath('age') && onPath('age-keygen'),
  },
  {
    debian: ['gpg', 'gpg-agent', 'gpgconf'],
    what: 'gpg with its agent',
    for: ['test'],
    present: () => onPath('gpg') && onPath('gpg-agent') && onPath('gpgconf'),
  },
  {
    debian: ['bsdutils'],
    what: 'the script program, a terminal for tests',
    for: ['test'],
    present: () => onPath('script'),
  },
  {
    debian: ['debootstrap'],
    what: 'debootstrap, to get newer servers with',
    for: ['matrix'],
    present: () => onPath('debootstrap') || existsSync('/usr/sbin/debootstrap'),
  },
  {
    debian: ['openssh-server', 'openssh-client'],
    what: 'an SSH server',
    for: ['test'],
    present: () => existsSync('/usr/sbin/sshd') && onPath('ssh-keygen'),
  },
  { debian: ['rclone'], what: 'rclone, to compare uploads with', for: ['bench'], present: () => onPath('rclone') },
]

/**
 * Installs what is missing when this runs as root on a system with apt; else says what to install.
 *
 * @param {'start' | 'test' | 'bench' | 'matrix'} purpose
 * @throws {Error} With one line that says what to install, when it cannot do so itself.
 */
export async function ensureSystemPackages(purpose) {
  const missing = needed.filter((item) => item.for.includes(purpose) && !item.present())
  if (missing.length === 0) return
  const packages = missing.flatMap((item) => item.debian)
  const what = missing.map((item) => item.what).join(', ')
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    throw new Error(
      `Missing: ${what}. Install with: sudo apt-get install --no-install-recommends ${packages.join(' ')}`,
    )
  }
  say(`• installing ${packages.join(', ')} (${what})`)
  await withoutStartingServices(() => aptInstall(packages))
  const still = missing.filter((item) => !item.present())
  if (still.length > 0)
    throw new Error(`apt-get installed ${packages.join(', ')}, but there is still no ${still[0]?.what}.`)
}

/** @param {readonly string[]} packages */
async function aptInstall(packages) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', UCF_FORCE_CONFFOLD: '1' }
  /** @param {string[]} args */
  const apt = (...args) => run('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=300', ...args], { env, quiet: true })
  const install = () => apt('install', '--no-install-recommends', ...packages)

  const first = await install()
  if (first.code === 0) return
  // The lists are absent or too old, as in a fresh container.
  const update = await apt('update')
  const second = await install()
  if (second.code === 0) return
  process.stderr.write(update.output + second.output)
  throw new Error(`apt-get could not install ${packages.join(' ')} (code ${second.code}).`)
}

/**
 * Debian's packages make and start a cluster of their own when they are installed. The checkout only wants the
 * programs: nothing is started, and no cluster is made on a machine that never had PostgreSQL.
 *
 * @param {() => Promise<void>} work
 */
async function withoutStartingServices(work) {
  const policy = '/usr/sbin/policy-rc.d'
  const ours = !existsSync(policy)
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  if (!existsSync('/etc/postgresql-common')) {
    mkdirSync('/etc/postgresql-common')
    writeFileSync(
      '/etc/postgresql-common/createcluster.conf',
      '# Written by the set-up of the Holdfast checkout, which needs no cluster. Remove this to get one by default.\n' +
        'create_main_cluster = false\n',
    )
  }
  try {
    return await work()
  } finally {
    if (ours) rmSync(policy, { force: true })
  }
}

/** @param {string} program */
function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}

/** @param {string} program */
function inPostgresBin(program) {
  return onPath(program) || below('/usr/lib/postgresql').some((folder) => existsSync(join(folder, 'bin', program)))
}

function hasMariadbd() {
  return onPath('mariadbd') || ['/usr/sbin', '/usr/local/sbin'].some((folder) => existsSync(join(folder, 'mariadbd')))
}

/** @param {string} name */
function hasExtension(name) {
  const debian = below('/usr/share/postgresql').map((folder) => join(folder, 'extension'))
  // Elsewhere than on Debian nobody knows where extensions lie: a server on PATH is taken as whole.
  return debian.length === 0 ? onPath('postgres') : debian.some((folder) => existsSync(join(folder, `${name}.control`)))
}

/** @param {string} folder */
function below(folder) {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}
