import type { Ariftly, StreamOptions } from '@ariftly/sdk'
import { passed, reasonOf, skipped, type Check, type Findings } from './check.ts'

/** How long the first frame may take: the server sends it at once. */
const FRAME_MS = 5000
/** No events are wanted, only what every stream is sent. */
const FILTER = { task_id: 'ariftly-doctor' }

/** Whether a stream gets its first frame at once: where answers are buffered on the way, it arrives late or never. */
export async function checkStream(findings: Findings): Promise<Check> {
  const { client, key, context } = findings
  const reason = reasonToSkip(findings)
  if (client === undefined || key === undefined || reason !== undefined) return skipped('stream', reason ?? '')
  const seen = await openUntilLive(client, { ...FILTER, after: new Date(context.now()).toISOString() }, context.signal)
  context.signal.throwIfAborted()
  if (seen.position !== undefined) findings.position = seen.position
  if (seen.liveMs !== undefined) return passed('stream', `Its first frame arrived after ${seen.liveMs} ms.`)
  const detail =
    seen.openMs === undefined
      ? `No stream was opened within ${FRAME_MS} ms${seen.error === undefined ? '.' : `: ${reasonOf(seen.error)}`}`
      : `The stream was opened after ${seen.openMs} ms, and nothing arrived within ${FRAME_MS} ms: something on the way holds answers back.`
  const remedy =
    'Switch off buffering and compression for text/event-stream in every proxy between (nginx: proxy_buffering off).'
  return { check: 'stream', status: 'failed', detail, remedy }
}

/** Whether a second stream continues at the position of the first. */
export async function checkResume(findings: Findings): Promise<Check> {
  const { client, position, context } = findings
  if (client === undefined || position === undefined) return skipped('resume', 'No stream gave a position.')
  const seen = await openUntilLive(client, { ...FILTER, from: position }, context.signal)
  context.signal.throwIfAborted()
  if (seen.reset === undefined && seen.liveMs !== undefined) {
    return passed('resume', `It continued at its position after ${seen.liveMs} ms.`)
  }
  const why =
    seen.reset === undefined
      ? reasonOf(seen.error ?? 'nothing arrived')
      : `the server answered stream.reset (${seen.reset})`
  return {
    check: 'resume',
    status: 'failed',
    detail: `The stream did not continue at its position: ${why}.`,
    remedy:
      'Check that every request goes to the same installation, and that proxies let the header Last-Event-ID through.',
  }
}

function reasonToSkip({ key }: Findings): string | undefined {
  if (key === undefined) return 'The key is not known.'
  return key.scopes.includes('events:read') ? undefined : 'The key may not read events.'
}

interface Seen {
  /** When the answer began. */
  openMs?: number
  liveMs?: number
  position?: string
  reset?: string
  error?: unknown
}

/** Opens a stream until it is live, it fails, or the time is over. */
async function openUntilLive(client: Ariftly, options: StreamOptions, signal: AbortSignal): Promise<Seen> {
  const seen: Seen = {}
  const startedMs = performance.now()
  const tookMs = () => Math.round(performance.now() - startedMs)
  const end = new AbortController()
  const stream = client.events.stream({
    ...options,
    signal: AbortSignal.any([signal, end.signal, AbortSignal.timeout(FRAME_MS)]),
    onState(state) {
      if (state.type === 'catching_up') seen.openMs ??= tookMs()
      if (state.type === 'waiting') seen.error = state.error
      if (state.type !== 'live') return
      seen.liveMs ??= tookMs()
      // The position is that of the frame in hand, which is finished first.
      setImmediate(() => end.abort())
    },
  })
  try {
    for await (const item of stream)
      if (item.type === 'stream.reset') seen.reset ??= (item as { readonly reason: string }).reason
  } catch (error) {
    seen.error = error
  }
  if (stream.position !== undefined) seen.position = stream.position
  return seen
}
