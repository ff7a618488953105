/** What a frame is made of. `event` and `id` hold neither CR nor LF nor NUL; `data` is one line. */
export interface SseFrameParts {
  readonly event: string
  readonly data: Buffer
  readonly id?: string | Buffer | undefined
}

/** One Server-Sent Events frame (WHATWG HTML 9.2): `event:`, `data:`, then `id:` last, and the blank line that dispatches it. */
export function renderSseFrame(parts: SseFrameParts): Buffer {
  const head = `event: ${parts.event}\ndata: `
  const idLength = parts.id === undefined ? 0 : parts.id.length + 5
  const out = Buffer.allocUnsafe(head.length + parts.data.length + idLength + 2)
  let at = out.write(head, 0, 'latin1')
  at += parts.data.copy(out, at)
  out[at++] = 0x0a
  if (parts.id !== undefined) {
    at += out.write('id: ', at, 'latin1')
    at += typeof parts.id === 'string' ? out.write(parts.id, at, 'latin1') : parts.id.copy(out, at)
    out[at++] = 0x0a
  }
  out[at] = 0x0a
  return out
}
