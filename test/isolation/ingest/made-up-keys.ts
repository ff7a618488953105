import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { generateApiKey } from '@ariftly/auth'
import { EVENT } from './attacks.ts'

/** Requests of a connection that wait for their answers: a connection with more than 16 is cut. */
const UNDER_WAY_MAX = 8

/** Open connections to ingest, with posts of one event that are to be sent on them. */
export interface PreparedPosts {
  /** Sends them all, pipelined; gives the statuses of the answers. */
  send(): Promise<readonly number[]>
  close(): void
}

/** Connects, and renders one post for each key. */
export async function preparePosts(
  port: number,
  o: { readonly keys: readonly string[]; readonly connections: number },
): Promise<PreparedPosts> {
  const opened = await Promise.all(
    Array.from({ length: o.connections }, async (_, connection) => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      const keys = o.keys.filter((_key, at) => at % o.connections === connection)
      return { socket, posts: keys.map((key) => renderPost(key)) }
    }),
  )
  return {
    send: async () => (await Promise.all(opened.map(({ socket, posts }) => pipeline(socket, posts)))).flat(),
    close: () => opened.forEach(({ socket }) => socket.destroy()),
  }
}

/** Keys that no one has, although their checksums are right. */
export function makeUpKeys(keys: number): readonly string[] {
  return Array.from({ length: keys }, () => generateApiKey().key)
}

function renderPost(key: string): string {
  return (
    `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${EVENT.length}\r\n\r\n${EVENT}`
  )
}

function pipeline(socket: Socket, requests: readonly string[]): Promise<readonly number[]> {
  return new Promise((resolve, reject) => {
    const statuses: number[] = []
    let rest = ''
    let sent = 0
    function read(chunk: Buffer): void {
      const lines = (rest + chunk.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      // A body has no end of line: the status line of the next answer follows it.
      for (const line of lines) statuses.push(...(/HTTP\/1\.1 (\d{3})/.exec(line)?.slice(1).map(Number) ?? []))
      if (statuses.length < requests.length) return write()
      socket.off('data', read).off('close', fail)
      resolve(statuses)
    }
    function write(): void {
      const next = requests.slice(sent, statuses.length + UNDER_WAY_MAX)
      sent += next.length
      if (next.length > 0) socket.write(next.join(''))
    }
    const fail = () => reject(new Error(`The connection was closed after ${statuses.length} answers.`))
    socket.on('data', read).on('close', fail)
    write()
  })
}
