import type { ServerResponse } from 'node:http'

/** Aborts when the client leaves before its answer has been sent. */
export function clientGone(res: ServerResponse): AbortSignal {
  const gone = new AbortController()
  if (res.destroyed) gone.abort()
  else {
    res.once('close', () => {
      if (!res.writableFinished) gone.abort()
    })
  }
  return gone.signal
}
