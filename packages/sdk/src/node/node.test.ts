import { execFile } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
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
const entry = (n: number) => ({ json: `{"task_id":"t","data":{"n":${n}}}`, atMs: 1_000_000 + n })
const id = (n: number) => `evt_${String(n).padStart(26, '0')}`

/** What a file holds; `none` where there is none. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
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
    import { renameSync, rmSync, writeFileSync } from 'node:fs'
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
      writeFileSync(lock + '.' + process.pid, stale)
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
  writeFileSync(join(folder, 'lock'), '2147483646 x')
  return open()
}

describe('openSpool', () => {
  test('returns the events that were not settled before, in order and with their times', () => {
    const first = open()
    const tickets = Array.from({ length: 10 }, (_, n) => first.append([entry(n)])).flat()
    for (const ticket of tickets.slice(0, 4)) first.settle(ticket)
    expect(filesIn().length).toBeGreaterThan(1)
    const kept = openAfterKill()
      .recover()
      .map(({ json, atMs }) => ({ json, atMs }))
    // Files are dropped as a whole: some settled events may be returned again, and no unsettled one is missing.
    expect(kept).toEqual(expect.arrayContaining(tickets.slice(4).map((_, at) => entry(at + 4))))
    expect(kept.length).toBeLessThan(10)
    expect(kept).toEqual(kept.toSorted((a, b) => a.atMs - b.atMs))
  })

  test('gives back the id under which an event went out last, over several processes', () => {
    const first = open()
    const tickets = Array.from({ length: 6 }, (_, n) => first.append([entry(n)])).flat()
    first.identify(new Map(tickets.slice(0, 5).map((ticket, n) => [ticket, id(n)])))
    first.identify(new Map([[tickets[5] as number, id(50)]]))
    // Killed in the middle of a line.
    for (const name of filesIn()) appendFileSync(join(folder, name), '3 evt_00')
    const second = openAfterKill()
    const recovered = second.recover()
    expect(recovered.map((event) => event.id)).toEqual([0, 1, 2, 3, 4, 50].map(id))
    second.identify(new Map([[recovered[1]?.ticket ?? 0, id(99)]]))
    const ids = openAfterKill()
      .recover()
      .map((event) => event.id)
    expect(ids).toEqual([0, 99, 2, 3, 4, 50].map(id))
  })

  test.each(['\u2028', '\u2029'])('gives back an event whose text has %j, with its id', (separator) => {
    const events = [1, 2].map((n) => ({ json: JSON.stringify({ data: { n, text: `a${separator}b` } }), atMs: n }))
    const first = open()
    const [ticket = 0] = first.append(events)
    first.identify(new Map([[ticket, id(1)]]))
    const kept = openAfterKill().recover()
    expect(kept).toMatchObject([{ ...events[0], id: id(1) }, events[1]])
  })

  test("removes files whose events are settled, earlier processes' too", () => {
    open().append([entry(1)])
    const second = openAfterKill()
    const tickets = [...second.recover().map(({ ticket }) => ticket), ...second.append([entry(2)])]
    for (const ticket of tickets) second.settle(ticket)
    expect(filesIn().map(textOf)).toEqual([''])
    second.close()
    expect(readdirSync(folder)).toEqual([])
  })

  test('reads the files of version 1.1.0', () => {
    writeFileSync(
      join(folder, '000000000001.ndjson'),
      `{"id":"${id(1)}","data":{}}\n{"id":"${id(2)}","data":{}}\n{"id":"ev`,
    )
    const kept = open().recover()
    expect(kept.map(({ json }) => json)).toEqual([
      `{"id":"${id(1)}","data":{}}`,
      `{"id":"${id(2)}","data":{}}`,
      '{"id":"ev',
    ])
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
    writeFileSync(lock, stale)
    const ended = await Promise.all(Array.from({ length: 4 }, () => takeOverAgainAndAgain(lock, stale)))
    const taken = ended.reduce((sum, one) => sum + one.taken, 0)
    expect(taken).toBeGreaterThan(100)
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

  test('what an earlier process left is sent first; half an event is left out', async () => {
    const api = await startReceiver()
    const logger = { warn: jest.fn(), debug: () => {} }
    try {
      const before = new Ariftly({
        baseUrl: 'http://127.0.0.1:1',
        apiKey: 'key',
        send: { spool: openSpool(folder), lingerMs: 60_000 },
      })
      for (let n = 0; n < 3; n += 1) {
        before.events.trySend({ type: 'task.progress', task_id: 't', data: { message: 'm', n } })
      }
      const { unsent } = await before.close({ timeoutMs: 1 })
      writeFileSync(join(folder, '000000000009.ndjson'), '{"id":"evt_half","task_')
      api.respondWith(() => ({ status: 202, body: '{"object":"list","data":[]}' }))
      const after = new Ariftly({ baseUrl: api.url, apiKey: 'key', logger, send: { spool: openSpool(folder) } })
      after.events.trySend({ type: 'task.progress', task_id: 't', data: { message: 'm', n: 3 } })
      await after.close()
      const sent = api.requests.flatMap(
        ({ body }) => JSON.parse(body.toString()) as { id: string; data: { n: number } }[],
      )
      expect(sent.map(({ data }) => data.n)).toEqual([0, 1, 2, 3])
      // The caller of `close` may have sent them too, under these ids.
      expect(sent.slice(0, 3).map((event) => event.id)).toEqual(unsent.map((event) => event.id))
      expect(filesIn()).toEqual([])
      expect(logger.warn).toHaveBeenCalledWith(expect.stringContaining('is left out'))
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

  test('have their id in a file before the request is sent, also the one that a wrong clock made necessary', async () => {
    const spooled: boolean[] = []
    const errors = [{ index: 0, code: 'out_of_range', pointer: '/id', message: 'is too far ahead' }]
    api.respondWith(({ body }) => {
      const { id: posted = '' } = (JSON.parse(body.toString()) as { id: string }[])[0] ?? {}
      spooled.push(filesIn().some((name) => textOf(name).includes(` ${posted}\n`)))
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
