/** The way through a list that is read by cursor. The way back is that of the browser. */
export function Pager(props: {
  readonly cursor: string | undefined
  readonly next: string | null | undefined
  readonly onGo: (cursor: string | undefined) => void
}) {
  const { cursor, next, onGo } = props
  if (cursor === undefined && (next === null || next === undefined)) return null
  return (
    <nav className="pager" aria-label="Pages of the list">
      <button type="button" disabled={cursor === undefined} onClick={() => onGo(undefined)}>
        Newest
      </button>
      <button type="button" disabled={next === null || next === undefined} onClick={() => onGo(next ?? undefined)}>
        Older
      </button>
    </nav>
  )
}
