/** A time: local, with milliseconds; the date only when it is not today. The title has it whole, local and UTC. */
export function Time({ at, whole = false }: { readonly at: string | null | undefined; readonly whole?: boolean }) {
  if (at === null || at === undefined) return <span className="muted">–</span>
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return <span>{at}</span>
  const iso = date.toISOString()
  return (
    <time dateTime={iso} title={`${dayText(date)} ${clockText(date)} local\n${iso} UTC`} className="time">
      {timeText(at)}
      {whole && <span className="utc muted">{iso}</span>}
    </time>
  )
}

/** The same as text alone, for titles: `08:00:00.000`, or `2026-01-31 08:00:00.000` when that is not today. */
export function timeText(at: string): string {
  const date = new Date(at)
  const [day, clock] = [dayText(date), clockText(date)]
  return day === dayText(new Date()) ? clock : `${day} ${clock}`
}

function dayText(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function clockText(date: Date): string {
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

/** `340 ms`, `2.4 s`, `3 min`, `2 h`, `4 d`. */
export function durationText(ms: number): string {
  const size = Math.abs(ms)
  if (size < 1_000) return `${Math.round(ms)} ms`
  if (size < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  if (size < 3_600_000) return `${Math.round(ms / 60_000)} min`
  if (size < 172_800_000) return `${Math.round(ms / 3_600_000)} h`
  return `${Math.round(ms / 86_400_000)} d`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
