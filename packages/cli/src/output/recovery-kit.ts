/** What a recovery kit says. */
export interface KitFacts {
  readonly madeAt: Date
  readonly jobs: readonly KitJob[]
  readonly storages: readonly { readonly name: string; readonly display: string }[]
  /** The identity, as its file holds it. Absent: it is kept elsewhere. */
  readonly key?: string
}

/** A job, as far as a stranger has to know it to bring its database back. */
export interface KitJob {
  readonly name: string
  readonly engine: string
  /** The database, without a password. */
  readonly source: string
  readonly storages: readonly string[]
  readonly cipher?: { readonly id: string; readonly keyIds: readonly string[] }
}

interface Section {
  readonly title: string
  /** Lines to read, and blocks to type. */
  readonly content: readonly (string | { readonly code: string })[]
}

/** As a page of plain text, of 100 columns. */
export function kitAsText(facts: KitFacts): string {
  const sections = sectionsOf(facts).map(({ title, content }, index) => {
    const body = content.map((each) => (typeof each === 'string' ? each : indent(each.code)))
    return [`${index + 1}. ${title}`, '', ...body].join('\n')
  })
  return `${[`RECOVERY KIT: how to bring the backups back`, introduction(facts), ...sections].join('\n\n')}\n`
}

/** As one page of HTML without anything from elsewhere. */
export function kitAsHtml(facts: KitFacts): string {
  const sections = sectionsOf(facts).map(({ title, content }) => {
    const body = content.map((each) =>
      typeof each === 'string' ? `<p>${escapeHtml(each)}</p>` : `<pre>${escapeHtml(each.code)}</pre>`,
    )
    return [`<h2>${escapeHtml(title)}</h2>`, ...body].join('\n')
  })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Recovery kit</title>
<style>
body { font: 11pt/1.4 serif; max-width: 48em; margin: 2em auto; padding: 0 1em }
pre { font: 10pt/1.4 monospace; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid; padding: .5em }
h2 { counter-increment: section; break-after: avoid }
h2::before { content: counter(section) '. ' }
</style>
<h1>Recovery kit: how to bring the backups back</h1>
<p>${escapeHtml(introduction(facts))}</p>
${sections.join('\n')}
</html>
`
}

function introduction({ madeAt }: KitFacts): string {
  return `Made ${madeAt.toISOString().slice(0, 10)} by Holdfast. Print it, keep it with the keys of the house, make a new one when a key or a storage changes. Nothing of Holdfast is needed to follow it.`
}

function sectionsOf(facts: KitFacts): readonly Section[] {
  return [keySection(facts), placesSection(facts), recipeSection(facts), easySection()]
}

function keySection({ key, jobs }: KitFacts): Section {
  const ciphers = jobs.flatMap(({ name, cipher }) => (cipher ? [{ name, ...cipher }] : []))
  const plain = jobs.filter(({ cipher }) => !cipher).map(({ name }) => name)
  const lines = ciphers.map(({ name, id, keyIds }) => `Job ${name} is encrypted with ${id}, for: ${keyIds.join(', ')}`)
  const plainLine = plain.length > 0 ? [`Not encrypted: ${plain.join(', ')}.`] : []
  return { title: 'The key', content: [...lines, ...plainLine, ...keyLines(key, ciphers.length > 0, jobs.length > 0)] }
}

function keyLines(key: string | undefined, isNeeded: boolean, isKnown: boolean): Section['content'] {
  if (key !== undefined) {
    return ['The secret key. Type it into a file key.txt, with every line:', { code: key }, ...passphraseLine(key)]
  }
  const elsewhere = 'is not on this sheet. It is kept at: ______________________________________'
  if (isNeeded) return [`The secret key ${elsewhere}`]
  // Without jobs nobody has said whether what lies there is encrypted.
  return isKnown ? [] : [`If names of the data end in .age or .gpg, they are encrypted: the secret key ${elsewhere}`]
}

function passphraseLine(key: string): readonly string[] {
  if (!key.includes('-----BEGIN AGE ENCRYPTED FILE-----')) return []
  return [
    'The key is under a passphrase, which is asked for when it is used. It is not on this sheet. It is kept at: ______________________________________',
  ]
}

function placesSection({ jobs, storages }: KitFacts): Section {
  const places = storages.map(({ name, display }) => `${name}: ${display}`)
  const uses = jobs.map(
    ({ name, engine, source, storages: on }) => `Job ${name} (${engine}, ${source}) is on: ${on.join(', ')}`,
  )
  return {
    title: 'Where the backups are',
    content: [
      ...(places.length > 0 ? places : ['______________________________________']),
      ...uses,
      'Passwords and access keys of these places are not on this sheet: ______________________________________',
      'Below each place: JOB/YEAR/MONTH/DATABASE_TYPE_DATE_TIME_ID.manifest.json, and the data beside it.',
    ],
  }
}

/** The dump is data, not commands of the client; and the bodies of routines keep their comments. */
const mysqlFlags = '--binary-mode --comments --max-allowed-packet=1G --default-character-set=utf8mb4'

/** What reads each engine's dumps, by the end of the name of the data. */
const clients: Readonly<Record<string, readonly string[]>> = {
  postgres: [
    'createdb --template=template0 NEW',
    '… | pg_restore --exit-on-error --dbname=NEW               (….dump…)',
    '… | psql -X -v ON_ERROR_STOP=1 -1 --dbname=NEW            (….sql…)',
  ],
  mysql: ['mysql -e "CREATE DATABASE NEW"        (or mariadb, here and below)', `… | mysql ${mysqlFlags} NEW`],
  sqlite: ['… > NEW.db        (never over a file that is in use)'],
}

function recipeSection({ jobs }: KitFacts): Section {
  const engines = [...new Set(jobs.map(({ engine }) => engine))]
  const known = engines.flatMap((engine) => clients[engine] ?? [])
  return {
    title: 'How to restore with standard tools',
    content: [
      'Install age (or gpg), zstd (or gzip) and the client programs of the database. Copy a manifest and the data beside it to this machine. The manifest is text; its field `recover` holds the line for its own backup, `sha256` values tell whether the data are whole:',
      { code: 'grep -E \'"(recover|storedSha256|key)"\' FILE.manifest.json\nsha256sum FILE.dump.zst.age' },
      'Decrypt and decompress, by the ends of the name (leave out what is not in it):',
      {
        code: '.age   age -d -i key.txt < FILE        (age -d for a backup under a passphrase)\n.gpg   gpg --decrypt < FILE\n.zst   … | zstd -dc\n.gz    … | gzip -dc',
      },
      'Then into a new database; a message of age, gpg or zstd on the way means that it is not whole:',
      { code: (known.length > 0 ? known : Object.values(clients).flat()).join('\n') },
      'For PostgreSQL in full:',
      {
        code: 'set -o pipefail\nage -d -i key.txt < FILE.dump.zst.age | zstd -dc | pg_restore --exit-on-error --dbname=NEW',
      },
    ],
  }
}

function easySection(): Section {
  return {
    title: 'How to restore with Holdfast',
    content: [
      'Where Node.js is:',
      {
        code: 'npx holdfast list --from PLACE\nnpx holdfast restore latest --from PLACE --identity key.txt --into postgres://USER@HOST/NEW',
      },
    ],
  }
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  }
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
}
