import { memo, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import type { LiveRow } from './live-window.ts'

/** Pixels, as in the style sheet: all rows are as high, so that none is measured. */
const ROW_HEIGHT = 34
/** Rows above and below those in view. */
const OVERSCAN = 4

/**
 * The rows, newest on top. Only those in view are in the document, each at its number from the top, so that a new row changes text and
 * makes no element. Scrolling away from the top, or going to a link, asks for a pause, so that nothing moves.
 */
export function LiveRows(props: {
  readonly rows: readonly LiveRow[]
  readonly isPaused: boolean
  readonly onTouch: () => void
}) {
  const { rows, isPaused, onTouch } = props
  const scroller = useRef<HTMLDivElement>(null)
  const [firstInView, setFirstInView] = useState(0)
  const inView = useRowsInView(scroller)
  useEffect(() => {
    if (!isPaused) scroller.current?.scrollTo(0, 0)
  }, [isPaused])
  useEffect(() => {
    const element = scroller.current
    const touch = ({ target }: FocusEvent) => {
      if (target !== element) onTouch()
    }
    element?.addEventListener('focusin', touch)
    return () => element?.removeEventListener('focusin', touch)
  }, [onTouch])
  const first = Math.max(0, Math.min(firstInView, rows.length - inView) - OVERSCAN)
  const last = Math.min(rows.length, firstInView + inView + OVERSCAN)
  const places = Array.from({ length: Math.max(0, last - first) }, (_, at) => first + at)
  return (
    <div
      ref={scroller}
      className="rows"
      tabIndex={0}
      role="list"
      aria-label="Newest events first"
      onScroll={({ currentTarget: { scrollTop } }) => {
        setFirstInView(Math.floor(scrollTop / ROW_HEIGHT))
        if (scrollTop > ROW_HEIGHT) onTouch()
      }}
    >
      <div className="rows-inner" style={{ height: rows.length * ROW_HEIGHT, paddingTop: first * ROW_HEIGHT }}>
        {places.map((place) => {
          const row = rows[rows.length - 1 - place]
          return row !== undefined && <Row key={place} row={row} place={place + 1} />
        })}
      </div>
    </div>
  )
}

/** How many rows the element is high. It is asked when its size changes, and not at each row. */
function useRowsInView(scroller: { readonly current: HTMLElement | null }): number {
  const [count, setCount] = useState(0)
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => setCount(Math.ceil(element.clientHeight / ROW_HEIGHT) + 1))
    observer.observe(element)
    return () => observer.disconnect()
  }, [scroller])
  return count
}

const Row = memo(function Row({ row, place }: { readonly row: LiveRow; readonly place: number }) {
  return (
    <div role="listitem" className="row" aria-posinset={place} aria-setsize={-1}>
      {row.kind === 'reset' ? <Reset reason={row.reason} /> : <Event row={row} />}
    </div>
  )
})

function Reset({ reason }: { readonly reason: string }) {
  return (
    <strong className="reset">{`The position could not be kept (${visibleText(reason)}): some events may be missing above this line.`}</strong>
  )
}

/** Its links are plain ones, as those of the router listen to it, each of them. */
function Event({ row }: { readonly row: Extract<LiveRow, { kind: 'event' }> }) {
  return (
    <>
      <Time at={row.createdAt} />
      <a href={`#/events/${encodeURIComponent(row.id)}`} className="type" data-event={row.id}>
        {visibleText(row.type)}
      </a>
      {row.taskId === null ? (
        <span className="task muted">{visibleText(row.sessionId ?? '')}</span>
      ) : (
        <a href={`#/tasks/${encodeURIComponent(row.taskId)}`} className="task">
          {visibleText(row.taskId)}
        </a>
      )}
      <span className="preview">{visibleText(row.preview)}</span>
    </>
  )
}
