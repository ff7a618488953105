import { execFile } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { Ariftly, type NewEvent, type SendOptions, type Spool } from '../index.ts'
import { filePositionStore, openSpool } from './index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sdk-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const filesIn = () => readdirSync(folder).filter((name) => name.endsWith('.ndjson'))
const textOf = (name: string) => readFileSync(join(folder, name), 'utf8')
const open = () => openSpool(folder, { fileBytesMax: 100 })
const id = (n: number) => `evt_${String(n).padStart(26, '0')}`
const entry = (n: number) => ({ json: `{"task_id":"t","data":{"n":${n}}}`, atMs: 1_000_000 + n, id: id(n) })
const lineOf = (n: number) => `${id(n)} ${entry(n).atMs} ${entry(n).json}\n`

/** What a spool gives back. */
function recoveredFrom(spool: Spool) {
  const warnings: string[] = []
  const events = spool.recover((text) => warnings.push(text))
  return { warnings, events, entries: events.map(({ json, atMs, id: kept }) => ({ json, atMs, id: kept })) }
}

/** The text of a lock; `none` where there is none. */
function contentOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return 'none'
  }
}

/**
 * A process that takes a lock as often as it can for two seconds, and leaves a stale one each time. Returns how often it had the lock, and how
 * often another process had it at the same time.
 */
async function takeOverAgainAndAgain(lock: string, stale: string): Promise<{ taken: number; shared: number }> {
  const program = `
    import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
    const { tsImport } = await import('tsx/esm/api')
    const [module, lock, stale] = process.argv.slice(1)
    const { takeLock, LockHeldError } = await tsImport(module, module)
    let taken = 0
    let shared = 0
    const endMs = performance.now() + 2000
    while (performance.now() < endMs) {
      try {
        takeLock(lock)
      } catch (error) {
        if (error instanceof LockHeldError) continue
        throw error
      }
      taken += 1
      try {
        writeFileSync(lock + '.holder', '', { flag: 'wx' })
        // Others try meanwhile.
        for (const heldMs = performance.now(); performance.now() < heldMs + 2; );
        rmSync(lock + '.holder')
      } catch {
        shared += 1
      }
      symlinkSync(stale, lock + '.' + process.pid)
      renameSync(lock + '.' + process.pid, lock)
    }
    console.log(JSON.stringify({ taken, shared }))`
  const module = pathToFileURL(join(import.meta.dirname, 'index.ts')).href
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    program,
    module,
    lock,
    stale,
  ])
  return JSON.parse(stdout) as { taken: number; shared: number }
}

/** What a killed process leaves: its lock too. */
function openAfterKill(): Spool {
  rmSync(join(folder, 'lock'), { force: true })
  symlinkSync('2147483646 x', join(folder, 'lock'))
  return open()
}

describe('openSpool', () => {
  test('returns the events that were not settled before, in order and with their times', () => {
    const first = open()
    const tickets = Array.from({ length: 10 }, (_, n) => first.append([entry(n)])).flat()
    for (const ticket of tickets.slice(0, 4)) first.settle(ticket)
    expect(filesIn().length).toBeGreaterThan(1)
    const { entries: kept, warnings } = recoveredFrom(openAfterKill())
    expect(warnings).toEqual([])
    // Files are dropped as a whole: some settled events may be returned again, and no unsettled one is missing.
    expect(kept).toEqual(expect.arrayContaining(tickets.slice(4).map((_, at) => entry(at + 4))))
    expect(kept.length).toBeLessThan(10)
    expect(kept).toEqual(kept.toSorted((a, b) => a.atMs - b.atMs))
  })

  test('gives back the id that replaced another one, over several processes', () => {
    const first = open()
    const tickets = first.append([{ ...entry(0), id: undefined }, entry(1), entry(2)])
    first.replaceId(tickets[2] as number, id(50))
    expect(recoveredFrom(first).events).toEqual([])
    const second = openAfterKill()
    const { events } = recoveredFrom(second)
    expect(events.map((event) => event.id)).toEqual([undefined, id(1), id(50)])
    second.replaceId(events[1]?.ticket ?? 0, id(99))
    const { entries } = recoveredFrom(openAfterKill())
    expect(entries).toEqual([
      { ...entry(0), id: undefined },
      { ...entry(1), id: id(99) },
      { ...entry(2), id: id(50) },
    ])
  })

  test('replaces an id in the line of its event, with any text before it', () => {
    const first = open()
    const texts = ['€😀', '\u2028', '\u2029', 'a']
    const entries = texts.map((text, n) => ({ json: JSON.stringify({ data: { text } }), atMs: n, id: id(n) }))
    const tickets = first.append(entries)
    for (const [n, ticket] of tickets.entries()) first.replaceId(ticket, id(n + 10))
    const second = openAfterKill()
    const { events } = recoveredFrom(second)
    for (const [n, { ticket }] of events.entries()) second.replaceId(ticket, id(n + 20))
    expect(recoveredFrom(openAfterKill()).entries).toEqual(entries.map((one, n) => ({ ...one, id: id(n + 20) })))
  })

  test('keeps a file with lines that cannot be read, and warns once; half a line of a killed process is not one', () => {
    const lines = [1, 2, 3, 4, 5].map(lineOf)
    lines[1] = (lines[1] ?? '').replace('"data"', '"da\0\0"')
    lines[3] = `x${lines[3]}`
    writeFileSync(join(folder, '000000000001.ndjson'), lines.join('') + lineOf(6).slice(0, 40))
    writeFileSync(join(folder, '000000000002.ndjson'), Buffer.alloc(4000))
    writeFileSync(join(folder, '000000000003.ndjson'), lineOf(7).slice(0, 40))
    writeFileSync(join(folder, '000000000004.ndjson'), Buffer.from(lineOf(8).replace('"t"', '"\xff"'), 'latin1'))
    const damaged = [1, 2, 4].map((n) => `00000000000${n}.ndjson.damaged`)
    const spool = open()
    const { events, entries, warnings } = recoveredFrom(spool)
    expect(entries).toEqual([1, 3, 5].map(entry))
    expect(warnings).toHaveLength(3)
    for (const [at, name] of damaged.entries()) expect(warnings[at]).toContain(join(folder, name))
    expect(warnings[0]).toContain('cannot be read: 2, in')
    for (const { ticket } of events) spool.settle(ticket)
    spool.append([entry(9)])
    spool.close()
    expect(readdirSync(folder).toSorted()).toEqual([...damaged, '000000000005.ndjson'])
    expect(textOf('000000000001.ndjson.damaged')).toContain(lines[3])
    expect(recoveredFrom(open())).toMatchObject({ entries: [entry(9)], warnings: [] })
  })

  test("removes files whose events are settled, earlier processes' too", () => {
    open().append([entry(1)])
    const second = openAfterKill()
    const tickets = [...recoveredFrom(second).events.map(({ ticket }) => ticket), ...second.append([entry(2)])]
    for (const ticket of tickets) second.settle(ticket)
    expect(filesIn().map(textOf)).toEqual([''])
    second.close()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is refused while another process has it, and after a process that had its number', () => {
    writeFileSync(join(folder, 'lock'), String(process.ppid))
    expect(open).toThrow(`in use by process ${process.ppid}`)
    writeFileSync(join(folder, 'lock'), `${process.ppid} another-boot/1`)
    open().close()
    writeFileSync(join(folder, 'lock'), `${process.pid} another-boot/1`)
    open().close()
  })

  test('is refused while another client of this process has it, in a worker thread too', async () => {
    const spool = open()
    expect(open).toThrow('in use by another client of this process')
    const program = `const { workerData, parentPort } = require('node:worker_threads')
      import('tsx/esm/api').then(({ tsImport }) => tsImport(workerData.module, workerData.module)).then(({ openSpool }) => {
        try { openSpool(workerData.folder); parentPort.postMessage('opened') } catch (error) { parentPort.postMessage(error.message) }
      })`
    const module = pathToFileURL(join(import.meta.dirname, 'index.ts')).href
    const worker = new Worker(program, { eval: true, workerData: { folder, module } })
    expect(await once(worker, 'message')).toEqual([expect.stringContaining('another client of this process')])
    spool.close()
    open().close()
  })

  test('has its content from the first moment, so that no process takes it for a stale one', async () => {
    const program = `const { workerData, parentPort } = require('node:worker_threads')
      import('tsx/esm/api').then(({ tsImport }) => tsImport(workerData.module, workerData.module)).then(({ takeLock }) => {
        const { rmSync } = require('node:fs')
        parentPort.postMessage('ready')
        for (let n = 0; n < 3000; n += 1) {
          takeLock(workerData.lock)
          rmSync(workerData.lock)
        }
      })`
    const module = pathToFileURL(join(import.meta.dirname, 'index.ts')).href
    const lock = join(folder, 'lock')
    const worker = new Worker(program, { eval: true, workerData: { lock, module } })
    await once(worker, 'message')
    const ended = new AbortController()
    const exited = once(worker, 'exit').finally(() => ended.abort())
    const seen = new Set<string>()
    while (!ended.signal.aborted) {
      for (let n = 0; n < 1000; n += 1) seen.add(contentOf(lock))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect([...seen].filter((text) => !text.startsWith(`${process.pid} `))).toEqual(['none'])
    expect(seen.size).toBe(2)
    expect(await exited).toEqual([0])
    expect(readdirSync(folder)).toEqual([])
  })

  test('is taken over from a process that has ended by one process alone, of many that try at once', async () => {
    const lock = join(folder, 'lock')
    const stale = '2147483646 x'
    symlinkSync(stale, lock)
    const ended = await Promise.all(Array.from({ length: 4 }, () => takeOverAgainAndAgain(lock, stale)))
    const taken = ended.reduce((sum, one) => sum + one.taken, 0)
    expect(taken).toBeGreaterThan(20)
    expect(ended.map(({ shared }) => shared)).toEqual([0, 0, 0, 0])
  })

  test('is made for its user alone, and refused as a link or when others may write it', () => {
    const path = join(folder, 'own')
    openSpool(path).close()
    expect(statSync(path).mode & 0o777).toBe(0o700)
    chmodSync(path, 0o770)
    expect(() => openSpool(path)).toThrow('other users')
    chmodSync(path, 0o700)
    symlinkSync(path, join(folder, 'link'))
    expect(() => openSpool(join(folder, 'link/'))).toThrow('link')
  })

  test('what an earlier process left is sent first; what is not an event is left out', async () => {
    const api = await startReceiver()
    const logger = { warn: jest.fn(), debug: () => {} }
    try {
      const before = new Ariftly({
        baseUrl: 'http://127.0.0.1:1',
        apiKey: 'key',
        send: { spool: openSpool(folder), lingerMs: 60_000 },
      })
      for (let n = 0; n < 3; n += 1) {
        before.events.trySend<{ n: number }>({ type: 'task.progress', task_id: 't', data: { message: 'm', n } })
      }
      const { unsent } = await before.close({ timeoutMs: 1 })
      writeFileSync(join(folder, '000000000009.ndjson'), `${id(9)} 1 {"task_id":"t","data":[]x}\n`)
      api.respondWith(() => ({ status: 202, body: '{"object":"list","data":[]}' }))
      const after = new Ariftly({ baseUrl: api.url, apiKey: 'key', logger, send: { spool: openSpool(folder) } })
      after.events.trySend<{ n: number }>({ type: 'task.progress', task_id: 't', data: { message: 'm', n: 3 } })
      await after.close()
      const sent = api.requests.flatMap(
        ({ body }) => JSON.parse(body.toString()) as { id: string; data: { n: number } }[],
      )
      expect(sent.map(({ data }) => data.n)).toEqual([0, 1, 2, 3])
      // The caller of `close` may have sent them too, under these ids.
      expect(sent.slice(0, 3).map((event) => event.id)).toEqual(unsent.map((event) => event.id))
      expect(readdirSync(folder)).toEqual(['000000000009.ndjson.damaged'])
      expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('cannot be read: 1, in'))
    } finally {
      await api.close()
    }
  })
})

describe('events in a spool', () => {
  const event: NewEvent = { type: 'task.progress', task_id: 't', data: { message: 'm' } }
  let api: Receiver
  const start = (send: SendOptions = {}) =>
    new Ariftly({ baseUrl: api.url, apiKey: 'key', send: { spool: openSpool(folder), onFailed: () => {}, ...send } })
  const idsOf = (at: number) =>
    (JSON.parse(api.requests[at]?.body.toString() ?? '[]') as { id: string }[]).map((posted) => posted.id)

  beforeEach(async () => {
    api = await startReceiver()
  })
  afterEach(() => api.close())

  test.each([401, 403, 404, 405])(
    'that a process could not send because of a %i are sent by the next process, with the same ids',
    async (status) => {
      const problem = JSON.stringify({ type: 'x', title: 'x', status, instance: '/', code: 'x', request_id: 'r' })
      api.respondWith(() => ({ status, headers: { 'content-type': 'application/problem+json' }, body: problem }))
      const first = start()
      first.events.trySend([event, event])
      await first.events.flush()
      await first.close()
      expect(first.events.stats()).toMatchObject({ sent: 2, failed: 2 })
      api.respondWith(() => ({ status: 202, body: '{}' }))
      const second = start()
      await second.close()
      expect(second.events.stats()).toMatchObject({ sent: 2, accepted: 2 })
      expect(idsOf(1)).toEqual(idsOf(0))
      expect(filesIn()).toEqual([])
    },
  )

  test('that a process could not send because of a key that is none are sent by the next process', async () => {
    const client = (apiKey: () => string) =>
      new Ariftly({ baseUrl: api.url, apiKey, send: { spool: openSpool(folder), onFailed: () => {} } })
    const first = client(() => 'no\nkey')
    first.events.trySend(event)
    await first.events.flush()
    await first.close()
    expect(first.events.stats()).toMatchObject({ sent: 1, failed: 1 })
    api.respondWith(() => ({ status: 202, body: '{}' }))
    const second = client(() => 'key')
    await second.close()
    expect(second.events.stats()).toMatchObject({ sent: 1, accepted: 1 })
  })

  test('have their id in a file before the request is sent, also the one that a wrong clock made necessary', async () => {
    const spooled: boolean[] = []
    const errors = [{ index: 0, code: 'out_of_range', pointer: '/id', message: 'is too far ahead' }]
    api.respondWith(({ body }) => {
      const { id: posted = '' } = (JSON.parse(body.toString()) as { id: string }[])[0] ?? {}
      spooled.push(filesIn().some((name) => textOf(name).startsWith(`${posted} `)))
      if (spooled.length > 1) return { status: 202, body: '{}' }
      const headers = { 'content-type': 'application/problem+json', date: new Date(0).toUTCString() }
      return { status: 422, headers, body: JSON.stringify({ status: 422, code: 'invalid_events', errors }) }
    })
    const client = start()
    await client.events.send(event)
    await client.close()
    expect(spooled).toEqual([true, true])
  })
})

test('filePositionStore keeps the position, and has none at first', async () => {
  const store = filePositionStore(join(folder, 'deep/position'))
  expect(await store.load()).toBeUndefined()
  await store.save('v1.a')
  await store.save('v1.b')
  expect(await filePositionStore(join(folder, 'deep/position')).load()).toBe('v1.b')
})

test('filePositionStore does not take an empty file for no position', async () => {
  writeFileSync(join(folder, 'position'), '\n')
  const positionStore = filePositionStore(join(folder, 'position'))
  const stream = new Ariftly({ baseUrl: 'http://127.0.0.1:1', apiKey: 'key' }).events.stream({ positionStore })
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'position_lost' })
})
