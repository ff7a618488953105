import { Link } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useRef } from 'react'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import type { LiveRow } from './live-window.ts'

const ROW_HEIGHT = 34
const OVERSCAN = 12

/** The rows, newest on top. Only those in view are in the document. Scrolling away from the top asks for a pause, so that nothing moves. */
export function LiveRows({ rows, onLeaveTop }: { readonly rows: readonly LiveRow[]; readonly onLeaveTop: () => void }) {
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (at) => rows[rows.length - 1 - at]?.id ?? at,
    overscan: OVERSCAN,
  })
  return (
    <div
      ref={scroller}
      className="rows"
      tabIndex={0}
      role="list"
      aria-label="Newest events first"
      onScroll={(event) => {
        if (event.currentTarget.scrollTop > ROW_HEIGHT) onLeaveTop()
      }}
    >
      <div className="rows-inner" style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => {
          const row = rows[rows.length - 1 - index]
          return (
            <div key={key} role="listitem" className="row" style={{ transform: `translateY(${start}px)` }}>
              {row !== undefined && <Row row={row} />}
            </div>
          )
        })}
      </div>
    </div>
  )
}

function Row({ row }: { readonly row: LiveRow }) {
  if (row.kind === 'reset') {
    return (
      <strong className="reset">{`The position could not be kept (${visibleText(row.reason)}): some events may be missing above this line.`}</strong>
    )
  }
  return (
    <>
      <Time at={row.createdAt} />
      <Link to="/events/$id" params={{ id: row.id }} className="type" data-event={row.id}>
        {visibleText(row.type)}
      </Link>
      {row.taskId === null ? (
        <span className="task muted">{visibleText(row.sessionId ?? '')}</span>
      ) : (
        <Link to="/tasks/$id" params={{ id: row.taskId }} className="task">
          {visibleText(row.taskId)}
        </Link>
      )}
      <span className="preview">{visibleText(row.preview)}</span>
    </>
  )
}
