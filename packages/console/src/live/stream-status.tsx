import { useEffect, useState } from 'react'
import { durationText } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import type { LiveFeedState } from './live-feed.ts'

/** Where the stream is, in words. */
export function StreamStatus({ stream }: { readonly stream: LiveFeedState['stream'] }) {
  return (
    <p className={`status status-${stream.type}`} role="status">
      <span className="dot" aria-hidden="true" />
      {stream.type === 'waiting' ? <Waiting error={stream.error} retryAt={stream.retryAt} /> : TEXTS[stream.type]}
    </p>
  )
}

const TEXTS = {
  connecting: 'Connecting',
  catching_up: 'Catching up with earlier events',
  live: 'Live',
  closed: 'Closed',
  hidden: 'Closed while the tab was hidden; it continues where it was',
  asking: 'The tab was hidden for long',
} as const

function Waiting({ error, retryAt }: { readonly error: Error | undefined; readonly retryAt: Date }) {
  const [nowMs, setNowMs] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 250)
    return () => clearInterval(timer)
  }, [])
  const why = error === undefined ? '' : `: ${visibleText(error.message)}`
  return `Waiting ${durationText(Math.max(0, retryAt.getTime() - nowMs))}${why}`
}
