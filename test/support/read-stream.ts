import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** An open stream: the events so far, checkpoints left out. */
export interface OpenStream {
  readonly response: Response
  readonly messages: readonly EventSourceMessage[]
  close(): Promise<void>
}

/** Opens a stream with the given request and collects its data. */
export async function openStream(open: (signal: AbortSignal) => Promise<Response>): Promise<OpenStream> {
  const closing = new AbortController()
  const response = await open(closing.signal)
  if (response.status !== 200) throw new Error(`the stream answered ${response.status}: ${await response.text()}`)
  const messages: EventSourceMessage[] = []
  const parser = createParser({
    onEvent: (message) => {
      if (message.event !== 'stream.checkpoint') messages.push(message)
    },
  })

  async function read(): Promise<void> {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
  }

  const reading = read().catch(() => undefined) // Aborted by close, or cut by the server: received data is kept.
  return {
    response,
    messages,
    async close() {
      closing.abort()
      await reading
    },
  }
}
