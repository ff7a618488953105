import { Ariftly, type StreamedEvent, type StreamOptions } from '@ariftly/sdk'
import { eventually } from '@ariftly/testkit'

/** A stream as the SDK's client follows it: it is opened again when it ends, and shows each event once. */
export interface FollowedStream {
  /** The events so far; `stream.reset` is left out. */
  readonly events: readonly StreamedEvent[]
  /** Waits until it has shown at least so many events. */
  shown(count: number): Promise<void>
  /** Waits until it has shown this event. */
  shows(id: string): Promise<void>
  /** Rejects with what ended it, such as a refused key; resolves when it was closed. */
  readonly ended: Promise<void>
  /** Ends it; throws what ended it before. */
  close(): Promise<void>
}

/** Opens a stream of the events that a key may read, from now on if the options do not say where it begins. */
export async function followStream(
  baseUrl: string,
  apiKey: string,
  options: StreamOptions = {},
): Promise<FollowedStream> {
  const client = new Ariftly({ baseUrl, apiKey })
  const events: StreamedEvent[] = []
  let isOpen = false
  const stream = client.events.stream({
    ...options,
    onState: ({ type }) => {
      isOpen ||= type === 'live' || type === 'catching_up'
    },
  })

  async function read(): Promise<void> {
    for await (const item of stream) if (item.type !== 'stream.reset') events.push(item)
  }

  const reading = read()
  await Promise.race([reading, eventually('the stream is open', () => isOpen)])
  reading.catch(() => undefined) // Thrown by `close`, and what `ended` rejects with.
  return {
    events,
    ended: reading,
    shown: async (count) => void (await eventually(`${count} streamed events`, () => events.length >= count)),
    shows: async (id) => void (await eventually(`${id} is streamed`, () => events.some((event) => event.id === id))),
    async close() {
      await client.close()
      await reading
    },
  }
}
