import { getRouteApi } from '@tanstack/react-router'
import { memo, useEffect, useState, useSyncExternalStore } from 'react'
import { streamFilterOf } from '../events/event-filter.ts'
import { FilterForm } from '../events/filter-form.tsx'
import { useKey } from '../session/session.ts'
import { useShortcut } from '../shell/shortcuts.ts'
import { Bars } from '../ui/bars.tsx'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { Empty, Page } from '../ui/page.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { visibleText } from '../ui/visible-text.ts'
import { LiveFeed } from './live-feed.ts'
import { LiveRows } from './live-rows.tsx'
import { ROWS_MAX, type LiveChart, type LiveView } from './live-window.ts'
import { StreamStatus } from './stream-status.tsx'

const route = getRouteApi('/live')

/** Events as they happen. */
export function LivePage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const forms = requestForms({
    path: '/v1/events/stream',
    query: { ...streamFilterOf(search) },
    command: 'events tail',
    method: 'events.stream',
  })
  return (
    <Page title="Live" name="Live" actions={<CopyAs forms={forms} />}>
      <FilterForm search={search} onChange={(next) => void navigate({ search: next })} />
      <Feed key={JSON.stringify(search)} />
    </Page>
  )
}

function Feed() {
  const { client } = useKey()
  const search = route.useSearch()
  const [feed] = useState(() => new LiveFeed(streamFilterOf(search)))
  const { view, stream, error } = useSyncExternalStore(feed.subscribe, () => feed.state)
  useEffect(() => feed.start(client), [feed, client])
  const toggle = () => (view.isPaused ? feed.resume() : feed.pause())
  useShortcut('p', 'Pause or continue', toggle)
  return (
    <section className="live" aria-label="Events as they happen">
      <div className="live-bar">
        <StreamStatus stream={stream} />
        <PauseStatus view={view} />
        <button type="button" onClick={toggle} aria-pressed={view.isPaused}>
          {view.isPaused ? 'Continue' : 'Pause'}
        </button>
      </div>
      {stream.type === 'asking' && <Asking feed={feed} />}
      {error !== undefined && <Fault error={error} />}
      <Rates chart={view.chart} />
      {view.rows.length === 0 ? (
        <Empty title="No event yet.">
          <p>This page shows events posted from now on. Earlier ones are under Events.</p>
        </Empty>
      ) : (
        <LiveRows rows={view.rows} isPaused={view.isPaused} onTouch={feed.pause} />
      )}
    </section>
  )
}

function PauseStatus({ view }: { readonly view: LiveView }) {
  const { isPaused, cameWhilePaused, missedWhilePaused, received, dropped } = view
  if (!isPaused) {
    const left = dropped === 0 ? '' : `, ${dropped} have left the window of ${ROWS_MAX}`
    return <p className="muted small">{`${received} received${left}`}</p>
  }
  const missed = missedWhilePaused === 0 ? '' : `, ${missedWhilePaused} of them have left the window`
  return <p className="small" role="status">{`Paused: ${cameWhilePaused} arrived${missed}`}</p>
}

function Asking({ feed }: { readonly feed: LiveFeed }) {
  return (
    <div className="note" role="alert">
      <p>This tab was hidden for more than ten minutes. Show the events of that time, or only new ones?</p>
      <button type="button" onClick={() => feed.goOn({ fromNow: false })}>
        Show all
      </button>
      <button type="button" onClick={() => feed.goOn({ fromNow: true })}>
        From now on
      </button>
    </div>
  )
}

const Rates = memo(function Rates({ chart: { rates, byType } }: { readonly chart: LiveChart }) {
  const bars = rates.map((value, at) => ({
    title: `${value} events, ${rates.length - at} s ago`,
    parts: [{ tone: 'plain' as const, value }],
  }))
  const last = rates.slice(-10).reduce((sum, value) => sum + value, 0) / 10
  return (
    <div className="rates">
      <Bars bars={bars} label={`Events a second in the last minute; ${last.toFixed(1)} a second in the last ten`} />
      <ul className="types">
        <li>
          <strong>{last.toFixed(1)}/s</strong>
        </li>
        {byType.slice(0, 6).map(([type, count]) => (
          <li key={type}>
            <code>{visibleText(type)}</code> {count}
          </li>
        ))}
      </ul>
    </div>
  )
})
