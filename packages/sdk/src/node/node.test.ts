import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startReceiver } from '@ariftly/testkit'
import { Ariftly } from '../index.ts'
import { filePositionStore, openSpool } from './index.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sdk-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const filesIn = () => readdirSync(folder).filter((name) => name.endsWith('.ndjson'))
const open = () => openSpool(folder, { fileBytesMax: 100 })
const event = (n: number) => `{"id":"evt_${n}","task_id":"t","data":{"n":${n}}}`

describe('openSpool', () => {
  test('gives back, in order, what was not settled before', () => {
    const first = open()
    const tickets = Array.from({ length: 10 }, (_, n) => first.append(event(n)))
    for (const ticket of tickets.slice(0, 4)) first.settle(ticket)
    expect(filesIn().length).toBeGreaterThan(1)
    const second = open()
    const kept = second.recover().map(({ json }) => json)
    // Files are given up as a whole: some that were settled may come again, none that was not is missing.
    expect(kept).toEqual(expect.arrayContaining(tickets.slice(4).map((_, at) => event(at + 4))))
    expect(kept.length).toBeLessThan(10)
    expect(kept).toEqual(kept.toSorted())
  })

  test('removes files whose events are settled, those of earlier processes too', () => {
    open().append(event(1))
    const second = open()
    const tickets = [...second.recover().map(({ ticket }) => ticket), second.append(event(2))]
    for (const ticket of tickets) second.settle(ticket)
    expect(filesIn().map((name) => readFileSync(join(folder, name), 'utf8'))).toEqual([''])
    second.close()
    expect(readdirSync(folder)).toEqual([])
  })

  test('is refused while another process has it', () => {
    writeFileSync(join(folder, 'lock'), String(process.ppid))
    expect(open).toThrow(`in use by process ${process.ppid}`)
    writeFileSync(join(folder, 'lock'), '2147483646')
    expect(open).not.toThrow()
  })

  test('what an earlier process left is sent first, under the same ids; half an event is left out', async () => {
    const api = await startReceiver()
    try {
      const before = new Ariftly({
        baseUrl: 'http://127.0.0.1:1',
        send: { spool: openSpool(folder), lingerMs: 60_000 },
      })
      for (let n = 0; n < 3; n += 1) {
        before.events.trySend({ type: 'task.progress', task_id: 't', data: { message: 'm', n } })
      }
      await before.close({ timeoutMs: 1 })
      writeFileSync(join(folder, '000000000009.ndjson'), '{"id":"evt_half","task_')
      api.respondWith(() => ({ status: 202, body: '{"object":"list","data":[]}' }))
      const after = new Ariftly({ baseUrl: api.url, send: { spool: openSpool(folder) } })
      after.events.trySend({ type: 'task.progress', task_id: 't', data: { message: 'm', n: 3 } })
      await after.close()
      const sent = api.requests.flatMap(({ body }) => JSON.parse(body.toString()) as { data: { n: number } }[])
      expect(sent.map(({ data }) => data.n)).toEqual([0, 1, 2, 3])
      expect(filesIn()).toEqual([])
    } finally {
      await api.close()
    }
  })
})

test('filePositionStore keeps the position, and has none at first', async () => {
  const store = filePositionStore(join(folder, 'deep/position'))
  expect(await store.load()).toBeUndefined()
  await store.save('v1.a')
  await store.save('v1.b')
  expect(await filePositionStore(join(folder, 'deep/position')).load()).toBe('v1.b')
})
