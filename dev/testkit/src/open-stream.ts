import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** One message of an event stream as it was sent. */
export type StreamMessage = EventSourceMessage

/** The only reader of the bytes of streams in tests, for those of the wire format and of repeated events; others use the SDK. */
interface StreamReader {
  /** Takes the next bytes, cut anywhere; an incomplete message is none. */
  push(chunk: Uint8Array | string): void
}

/** Makes a reader that gives out each complete message, the stream's own (`stream.*`) included. */
export function createStreamReader(
  onMessage: (message: StreamMessage) => void,
  onError: (error: Error) => void = () => undefined,
): StreamReader {
  const decoder = new TextDecoder()
  const parser = createParser({ onEvent: onMessage, onError })
  return {
    push: (chunk) => parser.feed(typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })),
  }
}

/** An open stream: the messages so far, checkpoints left out. */
export interface OpenStream {
  readonly response: Response
  readonly messages: readonly StreamMessage[]
  close(): Promise<void>
}

/** Opens a stream with the given request and collects its messages. It is not opened again when it ends. */
export async function openStream(open: (signal: AbortSignal) => Promise<Response>): Promise<OpenStream> {
  const closing = new AbortController()
  const response = await open(closing.signal)
  if (response.status !== 200) throw new Error(`the stream answered ${response.status}: ${await response.text()}`)
  const messages: StreamMessage[] = []
  const reader = createStreamReader((message) => {
    if (message.event !== 'stream.checkpoint') messages.push(message)
  })

  async function read(): Promise<void> {
    for await (const chunk of response.body ?? []) reader.push(chunk as Uint8Array)
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
