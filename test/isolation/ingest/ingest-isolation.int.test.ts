import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { ServedService } from '@ariftly/http'
import { createWorld, type World } from '@ariftly/testkit'
import {
  ATTACKS,
  declareBodies,
  EVENT,
  LONG_CONTENT_TYPE,
  LONG_POINTER,
  MANY_NAMES,
  MANY_UNKNOWN,
  postEvents,
  postSteadily,
  type Attack,
} from './attacks.ts'
import { makeUpKeys, preparePosts } from './made-up-keys.ts'
import { createKey, serveIngest } from './serve-ingest.ts'

/** A neighbour's slowest post, on a machine that is busy with other tests. */
const SLOWEST_MS_MAX = 4000
let world: World
let ingest: ServedService
let keys: { readonly one: string; readonly two: string; readonly victim: string }

beforeAll(async () => {
  world = await createWorld({ partitions: 2 })
  keys = {
    one: await createKey(world, 'one'),
    two: await createKey(world, 'two'),
    victim: await createKey(world, 'victim'),
  }
  ingest = await serveIngest(world.env)
})

afterAll(async () => {
  await ingest?.close()
  await world?.close()
})

const port = () => ingest.port

describe('a tenant next to another one', () => {
  test.each<[string, Attack]>([
    ['sends the longest Content-Type', ATTACKS.contentType],
    ['posts 5 MiB of member names', ATTACKS.memberNames],
    ['posts 5 MiB of unknown members', ATTACKS.unknownMembers],
    ['posts 5 KB that ask for an answer of 10 MB', ATTACKS.longPointer],
    ['tries random keys', ATTACKS.randomKeys],
  ])('that %s is answered 202, soon', async (_what, attack) => {
    const victim = { port: port(), key: keys.victim }
    await postEvents(victim, EVENT)
    const ending = new AbortController()
    const attacking = attack.run({ port: port(), keys: [keys.one] }, ending.signal)
    const times = await postSteadily(victim, { ms: 2000, everyMs: 50 })
    ending.abort()
    await attacking
    expect(times.at(-1)).toBeLessThan(SLOWEST_MS_MAX)
  })

  test('that declares 130 MiB on 26 connections and sends 26 bytes is served', async () => {
    const sockets = await declareBodies({ port: port(), keys: [keys.one, keys.two] }, 26)
    try {
      for (let at = 0; at < 5; at += 1) {
        expect((await postEvents({ port: port(), key: keys.victim }, EVENT)).status).toBe(202)
      }
    } finally {
      for (const socket of sockets) socket.destroy()
    }
  })

  test('that tries random keys is let in with its own fresh key at the first try', async () => {
    const fresh = await Promise.all(Array.from({ length: 24 }, () => createKey(world, 'fresh')))
    const ending = new AbortController()
    const attacking = ATTACKS.randomKeys.run({ port: port(), keys: [] }, ending.signal)
    const answers = await Promise.all(fresh.map((key) => postEvents({ port: port(), key }, EVENT)))
    ending.abort()
    await attacking
    expect(answers.map(({ status }) => status)).toEqual(fresh.map(() => 202))
  })

  test('that makes up 2,000 keys with valid checksums is let in with a fresh key at the first try', async () => {
    const fresh = await Promise.all(Array.from({ length: 24 }, () => createKey(world, 'fresh')))
    const madeUp = await preparePosts(port(), { keys: makeUpKeys(2000), connections: 500 })
    const posts = await preparePosts(port(), { keys: fresh, connections: 24 })
    const refused = madeUp.send()
    expect(await posts.send()).toEqual(fresh.map(() => 202))
    expect(new Set(await refused)).toEqual(new Set([401]))
    posts.close()
    madeUp.close()
  })
})

test('a body of 5 MiB is not validated in one tick of the event loop', async () => {
  const body = Buffer.from(MANY_UNKNOWN)
  const shares: number[] = []
  for (let post = 0; post < 6; post += 1) {
    const longest = measureLongestTick()
    await postEvents({ port: port(), key: keys.one }, body)
    shares.push(longest.end())
  }
  // A collection of garbage may be the longest tick of some. In one tick, validation takes more than half of each.
  expect(Math.min(...shares)).toBeLessThan(0.4)
})

/** Measures the share of this process's processor time that the longest event-loop tick takes. */
function measureLongestTick(): { end(): number } {
  let longestUs = 0
  let isOver = false
  const atStart = process.cpuUsage()
  let before = atStart
  setImmediate(function tick() {
    const { user, system } = process.cpuUsage(before)
    longestUs = Math.max(longestUs, user + system)
    before = process.cpuUsage()
    if (!isOver) setImmediate(tick)
  })
  return {
    end() {
      isOver = true
      const { user, system } = process.cpuUsage(atStart)
      return longestUs / (user + system)
    },
  }
}

describe('a refusal', () => {
  test.each<[string, string | Buffer, Record<string, string>, number]>([
    ['a long Content-Type', EVENT, LONG_CONTENT_TYPE, 415],
    ['too many member names', MANY_NAMES, {}, 422],
    ['unknown members', MANY_UNKNOWN, {}, 422],
    ['a name of 5 MiB', LONG_POINTER, { 'content-encoding': 'gzip' }, 422],
  ])('of %s has less than 1 KB', async (_what, body, headers, status) => {
    const answer = await postEvents({ port: port(), key: keys.one }, body, headers)
    expect(answer.status).toBe(status)
    expect(answer.bytes).toBeLessThan(1024)
  })

  test('of a thousand entries has at most 400 bytes each, however long their names are', async () => {
    const name = '\\u0001'.repeat(500)
    const entries = Array.from({ length: 1000 }, () => `{"${name}":1}`)
    const { status, bytes } = await postEvents({ port: port(), key: keys.one }, `[${entries.join(',')}]`)
    expect(status).toBe(422)
    expect(bytes).toBeLessThanOrEqual(400 * 1000)
  })
})

test('requests whose heads arrive together do not all pass on the last token of a quota', async () => {
  const key = await createKey(world, 'limited', 10)
  const body = `[${Array(100).fill(EVENT).join(',')}]`
  const answers = await Promise.all(Array.from({ length: 100 }, () => postEvents({ port: port(), key }, body)))
  const accepted = answers.filter(({ status }) => status === 202)
  expect(accepted.length).toBeGreaterThan(0)
  expect(accepted.length).toBeLessThanOrEqual(12)
})
