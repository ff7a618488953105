import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

/** A cheap stream client that only records when each numbered event arrived. */
export interface CountingStream {
  /** Moment (performance.now) at which each event arrived, by its number less the first one's. */
  readonly arrivedMs: readonly (number | undefined)[]
  readonly count: number
  close(): void
}

const NUMBER = /"n":(\d+)[,}][^\n]*\n/g

/** Opens the stream without a filter and resolves once the gateway has answered; events with numbers below `first` do not count. */
export async function openCountingStream(
  o: { readonly gateway: string; readonly apiKey: string },
  first: number,
): Promise<CountingStream> {
  const arrivedMs: (number | undefined)[] = []
  let count = 0
  let rest = ''

  function take(chunk: string): void {
    const nowMs = performance.now()
    const text = rest + chunk
    const end = text.lastIndexOf('\n') + 1
    for (const match of text.slice(0, end).matchAll(NUMBER)) note(Number(match[1]) - first, nowMs)
    rest = text.slice(end)
  }

  function note(index: number, nowMs: number): void {
    if (index < 0 || arrivedMs[index] !== undefined) return
    count += 1
    arrivedMs[index] = nowMs
  }

  const request = get(`${o.gateway}/v1/events/stream`, {
    headers: { authorization: `Bearer ${o.apiKey}`, accept: 'text/event-stream' },
  })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  if (response.statusCode !== 200) throw new Error(`the stream answered ${response.statusCode}`)
  response.setEncoding('utf8').on('data', take)
  response.on('error', () => undefined) // Closed by us.
  return {
    arrivedMs,
    get count() {
      return count
    },
    close: () => request.destroy(),
  }
}
