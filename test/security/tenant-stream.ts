import { openStream } from '@ariftly/testkit'

/** A stream of all events of a tenant, and its received data. */
export interface TenantStream {
  /** The ids of its frames. */
  ids(): readonly string[]
  /** All names and data of its frames so far. */
  text(): string
  close(): void
}

/** Opens it from an hour ago on. */
export async function openTenantStream(origin: string, apiKey: string): Promise<TenantStream> {
  const after = new Date(Date.now() - 3_600_000).toISOString()
  const headers = { authorization: `Bearer ${apiKey}` }
  const stream = await openStream((signal) =>
    fetch(`${origin}/v1/events/stream?envelope=true&after=${after}`, { headers, signal }),
  )
  return {
    ids: () => stream.messages.flatMap(({ id }) => (id === undefined ? [] : [id])),
    text: () => stream.messages.map(({ event, data }) => `${event} ${data}`).join('\n'),
    close: () => void stream.close(),
  }
}
