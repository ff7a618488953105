import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'

/** A cheap stream client that only records when each numbered event arrived. */
export interface CountingStream {
  /** Moment (performance.now) at which the event with this number arrived, by number. */
  readonly arrivedMs: readonly (number | undefined)[]
  readonly count: number
  close(): void
}

const NUMBER = /"n":(\d+)[,}][^\n]*\n/g

/** Opens the stream without a filter and resolves once the gateway has answered. */
export async function openCountingStream(gateway: string, apiKey: string): Promise<CountingStream> {
  const arrivedMs: (number | undefined)[] = []
  let count = 0
  let rest = ''

  function take(chunk: string): void {
    const nowMs = performance.now()
    const text = rest + chunk
    const end = text.lastIndexOf('\n') + 1
    for (const match of text.slice(0, end).matchAll(NUMBER)) {
      const number = Number(match[1])
      if (arrivedMs[number] === undefined) count += 1
      arrivedMs[number] ??= nowMs
    }
    rest = text.slice(end)
  }

  const request = get(`${gateway}/v1/events/stream`, {
    headers: { authorization: `Bearer ${apiKey}`, accept: 'text/event-stream' },
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
