/** The way through a list that is read by cursor. The way back is that of the browser. */
export function Pager(props: {
  readonly cursor: string | undefined
  readonly next: string | null | undefined
  readonly onGo: (cursor: string | undefined) => void
  /** Whether the list begins with the oldest; default: with the newest. */
  readonly isOldestFirst?: boolean
}) {
  const { cursor, next, onGo, isOldestFirst = false } = props
  if (cursor === undefined && (next === null || next === undefined)) return null
  return (
    <nav className="pager" aria-label="Pages of the list">
      <button type="button" disabled={cursor === undefined} onClick={() => onGo(undefined)}>
        {isOldestFirst ? 'Oldest' : 'Newest'}
      </button>
      <button type="button" disabled={next === null || next === undefined} onClick={() => onGo(next ?? undefined)}>
        {isOldestFirst ? 'Newer' : 'Older'}
      </button>
    </nav>
  )
}
