/** The text that makes an event's frame as long as the others' on the wire; clients find its mark and number. */
export function message(number: number, bytes: number): string {
  const head = `~${String(number % 10_000_000).padStart(7, '0')}`
  return head + 'x'.repeat(Math.max(0, bytes - head.length))
}

/** A stream's request as a client writes it. */
export function streamRequest(path: string, apiKey?: string): string {
  const authorization = apiKey === undefined ? '' : `Authorization: Bearer ${apiKey}\r\n`
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n${authorization}\r\n`
}

/** Bytes of a frame, its chunk's framing left out. */
export const FRAME_BYTES = 220
