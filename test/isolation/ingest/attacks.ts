import { once } from 'node:events'
import { Agent, request, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { sleep } from '@ariftly/runtime'

/** Four requests a second with each key. */
const REPEAT_MS = 250

/** Address and key of an attack. */
export interface Target {
  readonly port: number
  /** Keys of the attacker's tenants, one each. */
  readonly keys: readonly string[]
}

/** One legal but costly kind of request. It runs until the signal aborts; at most ten requests a second and key. */
export interface Attack {
  readonly name: string
  run(target: Target, signal: AbortSignal): Promise<void>
}

/** What was answered to a post. */
export interface Posted {
  readonly status: number
  readonly bytes: number
  readonly body: string
}

const MIB = 1024 * 1024
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

/** Posts a body to `/v1/events`; `headers` override the defaults. */
export async function postEvents(
  { port, key }: { readonly port: number; readonly key: string },
  body: Buffer | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Posted> {
  const req = request({
    port,
    host: '127.0.0.1',
    path: '/v1/events',
    method: 'POST',
    agent,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    },
  })
  req.end(body)
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of res) chunks.push(chunk as Buffer)
  const answer = Buffer.concat(chunks)
  return { status: res.statusCode ?? 0, bytes: answer.length, body: answer.toString('utf8') }
}

/** An event of a task. */
export const EVENT = '{"type":"task.progress","task_id":"t","data":{"message":"m"}}'

/** An event of 5 MiB whose `data` has a distinct name for each member. */
export const MANY_NAMES = eventOf(
  `{${Array.from({ length: 350_000 }, (_, at) => `"n${at}":0`)
    .join(',')
    .slice(0, 5 * MIB - 200)
    .replace(/,[^,]*$/, '')}}`,
)

/** An event of 5 MiB with members that no event has. */
export const MANY_UNKNOWN = `{${Array.from({ length: 300_000 }, (_, at) => `"\\u0078${at}":0`).join(',')}}`

/** 5 KB that decompress to an event whose bad string has a name of 5 MiB, each character of which is escaped in a pointer. */
export const LONG_POINTER = gzipSync(eventOf(`{"${'~'.repeat(5 * MIB - 200)}":"\\u0000"}`))

/** The longest Content-Type that node takes: a space is legal between the type and its end. */
export const LONG_CONTENT_TYPE = { 'content-type': `application/json${' '.repeat(15_000)}x` }

function eventOf(data: string): string {
  return `{"type":"task.created","task_id":"t","data":${data}}`
}

/** Posts the same request four times a second with each key, without waiting for answers. */
function repeat(name: string, body: Buffer | string, headers: Readonly<Record<string, string>> = {}): Attack {
  return {
    name,
    async run({ port, keys }, signal) {
      const posts: Promise<unknown>[] = []
      while (!signal.aborted) {
        for (const key of keys) posts.push(postEvents({ port, key }, body, headers).catch(() => undefined))
        await sleep(REPEAT_MS, signal)
      }
      await Promise.all(posts)
    },
  }
}

/** Opens connections that declare 5 MiB each and send one byte of it. */
export async function declareBodies({ port, keys }: Target, connections: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: connections }, (_, at) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    const key = keys[at % keys.length] ?? ''
    socket.write(
      `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${5 * MIB}\r\n\r\n[`,
    )
    return socket
  })
  for (const socket of sockets) if (socket.connecting) await once(socket, 'connect')
  return sockets
}

const declaredBodies: Attack = {
  name: 'declared_bodies',
  async run(target, signal) {
    const sockets = await declareBodies(target, 26)
    if (!signal.aborted) await once(signal, 'abort')
    for (const socket of sockets) socket.destroy()
  },
}

const randomKeys: Attack = {
  name: 'random_keys',
  async run({ port }, signal) {
    for (let at = 0; !signal.aborted; at += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          postEvents({ port, key: `random-key-number-${at}-${index}-`.padEnd(40, 'x') }, EVENT).catch(() => undefined),
        ),
      )
    }
  },
}

/** All attacks by name. */
export const ATTACKS = {
  contentType: repeat('content_type', EVENT, LONG_CONTENT_TYPE),
  memberNames: repeat('member_names', MANY_NAMES),
  unknownMembers: repeat('unknown_members', MANY_UNKNOWN),
  longPointer: repeat('long_pointer', LONG_POINTER, { 'content-encoding': 'gzip' }),
  declaredBodies,
  randomKeys,
} as const satisfies Readonly<Record<string, Attack>>

/** Times of a tenant's posts of one event, one every `everyMs`, over `ms`; milliseconds, sorted. Throws for an answer that is not 202. */
export async function postSteadily(
  victim: { readonly port: number; readonly key: string },
  { ms, everyMs }: { readonly ms: number; readonly everyMs: number },
): Promise<readonly number[]> {
  const times: Promise<number>[] = []
  const endMs = performance.now() + ms
  while (performance.now() < endMs) {
    times.push(timePost(victim))
    await sleep(everyMs)
  }
  return (await Promise.all(times)).toSorted((one, other) => one - other)
}

async function timePost(victim: { readonly port: number; readonly key: string }): Promise<number> {
  const startedMs = performance.now()
  const { status, body } = await postEvents(victim, EVENT)
  if (status !== 202) throw new Error(`The victim was answered ${status}: ${body}`)
  return performance.now() - startedMs
}
