// An application that writes: `node writer.ts FILE ROWS_PER_SECOND`. Each row is a transaction of its own that leaves the
// sums of two tables equal. It says `ready`, writes until its input ends, and then says how long a transaction took.
import Database from 'better-sqlite3'

const [path = '', rate = '1000'] = process.argv.slice(2)
const database = new Database(path, { timeout: 30_000 })
database.exec(`
  create table if not exists credits(amount integer not null, filler text);
  create table if not exists debits(amount integer not null, filler text);
`)
const credit = database.prepare('insert into credits values (?, hex(randomblob(20)))')
const debit = database.prepare('insert into debits values (?, hex(randomblob(20)))')
const book = database.transaction((amount: number) => {
  credit.run(amount)
  debit.run(amount)
})

const tookMs: number[] = []
const started = performance.now()
const timer = setInterval(() => {
  // Late rows are not left out: waiting for the one before counts as waiting.
  const dueNow = ((performance.now() - started) * Number(rate)) / 1_000
  while (tookMs.length < dueNow) {
    const due = started + (tookMs.length * 1_000) / Number(rate)
    book(1 + (tookMs.length % 97))
    tookMs.push(performance.now() - due)
  }
}, 1)
process.stdin.on('end', () => {
  clearInterval(timer)
  database.close()
  tookMs.sort((a, b) => a - b)
  const share = (part: number): number => tookMs[Math.floor((tookMs.length - 1) * part)] ?? 0
  process.stdout.write(`${JSON.stringify({ rows: tookMs.length, p50: share(0.5), p99: share(0.99), max: share(1) })}\n`)
})
process.stdin.resume()
process.stdout.write('ready\n')
