const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Milliseconds for people: `85 ms`, `3.2 s`, `2 min 05 s`, `1 h 02 min`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 59_950) return `${(ms / second).toFixed(1)} s`
  const seconds = Math.round(ms / second)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  const minutes = Math.round(ms / minute)
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`
}

/** Milliseconds as a clock that runs: `0:03`, `12:40`, `1:02:03`. */
export function formatElapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / second))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** How long ago: `just now`, `5 min ago`, `3 h ago`, `12 d ago`, `2 y ago`. A time to come counts as now. */
export function formatAge(at: Date, now: Date): string {
  const ms = now.getTime() - at.getTime()
  if (ms < minute) return 'just now'
  if (ms < hour) return `${Math.floor(ms / minute)} min ago`
  if (ms < 2 * day) return `${Math.floor(ms / hour)} h ago`
  if (ms < 730 * day) return `${Math.floor(ms / day)} d ago`
  return `${Math.floor(ms / (365 * day))} y ago`
}

/** A moment in UTC, to the second: `2026-11-20 14:05:09 UTC`. */
export function formatTime(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}
