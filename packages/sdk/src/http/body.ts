import { onAbort, orAborted } from './abort.ts'

/** Reads a body piece by piece. */
export interface BodyReader {
  /** The next bytes; undefined at the end. Rejects with the signal's reason once it aborts, and with what `fetch` throws for a cut body. */
  read(): Promise<Uint8Array | undefined>
}

/** Starts to read a body. When the signal aborts, the reader is cancelled, which ends the connection even if `fetch` has no signal. */
export function readBody(body: ReadableStream<Uint8Array>, signal: AbortSignal): BodyReader {
  const reader = body.getReader()
  const stop = onAbort(signal, () => void reader.cancel(signal.reason).catch(() => undefined))
  return {
    async read() {
      const { value, done } = await orAborted(signal, reader.read())
      // Cancelling ends a read as the end of the body does.
      signal.throwIfAborted()
      if (!done) return value
      stop()
      return undefined
    },
  }
}

/** The whole body as text. */
export async function readText(response: Response, signal: AbortSignal): Promise<string> {
  // A `fetch` of the caller may give no stream.
  if (!response.body) return await orAborted(signal, response.text())
  const reader = readBody(response.body as ReadableStream<Uint8Array>, signal)
  const decoder = new TextDecoder()
  let text = ''
  for (let bytes = await reader.read(); bytes !== undefined; bytes = await reader.read()) {
    text += decoder.decode(bytes, { stream: true })
  }
  return text + decoder.decode()
}
