import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { createLogger } from '@ariftly/runtime'
import { serveHttp, type HttpServer, type ServeHttpOptions } from './serve-http.ts'

/** A log that says nothing. */
export const log = createLogger({ service: 'test', level: 'silent' })

const open: HttpServer[] = []

/** Serves a listener on a free port of 127.0.0.1, for one test. */
export async function serve(
  listener: RequestListener,
  options: Pick<ServeHttpOptions, 'unread'> = {},
): Promise<HttpServer & { readonly base: string }> {
  const server = await serveHttp({ name: 'test', host: '127.0.0.1', port: 0, listener, log, ...options })
  open.push(server)
  return { ...server, base: `http://127.0.0.1:${server.port}` }
}

/** Ends what {@link serve} started; for `afterEach`. */
export async function closeServers(): Promise<void> {
  await Promise.all(open.splice(0).map((server) => server.close(0)))
}

/** The JSON of an answer. */
export async function json(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>
}

/** Sends raw text and returns the received text when the server ends the connection. */
export async function raw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}

/** A promise that a test settles by hand. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
}

/** Makes a promise to be settled by hand. */
export function defer<T = void>(): Deferred<T> {
  const settle: { resolve?: (value: T) => void } = {}
  const promise = new Promise<T>((resolve) => (settle.resolve = resolve))
  return { promise, resolve: (value) => settle.resolve?.(value) }
}
