import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useKey } from '../session/session.ts'
import { Bars } from '../ui/bars.tsx'
import { Fault } from '../ui/fault.tsx'
import { durationText, timeText } from '../ui/time.tsx'

const WINDOWS = ['1h', '24h', '7d'] as const
const EVERY_MS = 5_000

/** What was delivered in a window of time, as columns and numbers. */
export function WebhookStatistics({ id }: { readonly id: string }) {
  const { client } = useKey()
  const [window, setWindow] = useState<(typeof WINDOWS)[number]>('1h')
  const stats = useQuery({
    queryKey: ['stats', id, window],
    queryFn: async ({ signal }) => await client.webhooks.stats(id, { window }, { signal }),
    refetchInterval: EVERY_MS,
  })
  const { data, error } = stats
  return (
    <section className="card">
      <header className="card-head">
        <h2>Statistics</h2>
        <select aria-label="Window" value={window} onChange={(event) => setWindow(event.target.value as typeof window)}>
          {WINDOWS.map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </header>
      {error !== null && <Fault error={error} retry={() => void stats.refetch()} />}
      {data !== undefined && (
        <>
          <Bars
            label={`${data.delivered_count} delivered and ${data.failed_count} failed in ${window}`}
            bars={data.buckets.map(({ at, delivered_count, failed_count }) => ({
              title: `${timeText(at)}: ${delivered_count} delivered, ${failed_count} failed`,
              parts: [
                { tone: 'good', value: delivered_count },
                { tone: 'bad', value: failed_count },
              ],
            }))}
          />
          <ul className="types">
            <li>
              <strong>{data.delivered_count}</strong> delivered
            </li>
            <li>
              <strong>{data.failed_count}</strong> failed
            </li>
            <li>
              <strong>{data.attempt_count}</strong> attempts
            </li>
            {data.latency_ms !== null && (
              <li>
                p50 {durationText(data.latency_ms.p50)}, p95 {durationText(data.latency_ms.p95)} from the log to the 2xx
              </li>
            )}
            {Object.entries(data.error_classes).map(([error_class, count]) => (
              <li key={error_class}>
                <code>{error_class}</code> {count}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  )
}
