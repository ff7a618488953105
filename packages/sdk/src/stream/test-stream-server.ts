import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers one connection of a stream. */
export type AnswerStream = (res: ServerResponse, req: IncomingMessage) => void

/** A server of event streams with given answers for consecutive connections; the last answer is used for all further ones. */
export interface TestStreamServer {
  readonly url: string
  /** What each connection asked for. */
  readonly requests: readonly IncomingMessage[]
  close(): Promise<void>
}

/** Starts it on 127.0.0.1. */
export async function startStreamServer(...answers: readonly AnswerStream[]): Promise<TestStreamServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((req, res) => {
    const answer = answers[requests.length] ?? answers.at(-1)
    requests.push(req)
    answer?.(res, req)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Begins an event stream, with a short `retry`, and writes this. */
export function openStream(res: ServerResponse, text = ''): void {
  res.writeHead(200, { 'Content-Type': 'text/event-stream; charset=utf-8' })
  res.write(`retry: 5\n\n${text}`)
}

/** The id of a numbered event. */
function idOf(number: number): string {
  return `evt_01j9x8k2m4e7s9v0w1x2${String(number).padStart(6, '0')}`
}

/** The frame of a numbered event; its position is `p<number>`. */
export function frameOf(number: number): string {
  const event = `{"object":"event","id":"${idOf(number)}","type":"task.progress","created_at":"2026-11-25T08:45:37.123Z","task_id":"t","agent":null,"session_id":null,"data":{"task_id":"t","message":"m","n":${number}.0}}`
  return `event: task.progress\ndata: ${event}\nid: p${number}\n\n`
}

/** Frames of events from `first` to `last`. */
export function frames(first: number, last: number): string {
  return Array.from({ length: last - first + 1 }, (_, at) => frameOf(first + at)).join('')
}
