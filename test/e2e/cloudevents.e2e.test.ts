import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { CloudEvent, HTTP } from 'cloudevents'
import { compileJava, type JavaProgram } from '../support/java.ts'
import { runPython } from '../support/python.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'

/** `batch`: the event, and the same with the id `second`; each is written by the SDK, none of which joins them. */
type Mode = 'binary' | 'structured' | 'batch'

interface GivenEvent {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly subject: string
  readonly time: string
  readonly agent: string
  /** An unknown extension, with characters that headers must encode. */
  readonly note: string
  readonly data: object
}

const FOLDER = join(import.meta.dirname, 'cloudevents')

let system: Standalone
let java: JavaProgram

beforeAll(async () => {
  system = await startStandalone()
  java = await compileJava(join(FOLDER, 'SendCloudEvent.java'))
}, 180_000)
afterAll(async () => {
  await system?.close()
})

/** Sends an event by an SDK and gives `<status> <body>`. */
type Send = (mode: Mode, event: GivenEvent) => Promise<string>

const SDKS: readonly (readonly [string, Send])[] = [
  [
    'npm',
    async (mode, { data, ...event }) => {
      if (mode === 'batch') {
        const batch = [event.id, 'second'].map((id) => new CloudEvent({ ...event, id, data }))
        return await post({ 'content-type': 'application/cloudevents-batch+json' }, JSON.stringify(batch))
      }
      const { headers, body } = HTTP[mode](new CloudEvent({ ...event, data }))
      return await post(headers as Record<string, string>, String(body))
    },
  ],
  [
    'PyPI',
    async (mode, event) => {
      const env = { ARIFTLY_URL: system.url, ARIFTLY_API_KEY: system.apiKey }
      const args = [join(FOLDER, 'send.py'), mode, JSON.stringify(event)]
      return (await runPython({ args, packages: ['cloudevents==2.2.0'], env })).trim()
    },
  ],
  ['Maven', async (mode, event) => (await java.run(mode, system.url, system.apiKey, JSON.stringify(event))).trim()],
]

async function post(headers: Readonly<Record<string, string>>, body: string): Promise<string> {
  const response = await system.request('/v1/events', { method: 'POST', headers, body })
  return `${response.status} ${await response.text()}`
}

async function listed(taskId: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { data } = (await (await system.request(`/v1/events?task_id=${taskId}`)).json()) as {
    data: Readonly<Record<string, unknown>>[]
  }
  return data
}

describe.each(SDKS)('the CloudEvents SDK of %s', (name, send) => {
  test.each(['binary', 'structured'] as const)(
    'posts events in %s mode, and one that it posts again is the same event',
    async (mode) => {
      const subject = `task-${name}-${mode}`
      const time = new Date().toISOString()
      const data = { message: 'Grüße 🚀', progress: 0.5 }
      const base = { source: `/fleet/${name}`, type: 'task.progress', subject, time, agent: 'analyzer', data }
      const event = { ...base, id: '1', note: '50 % "Grüße"' }
      const first = await send(mode, event)
      expect(first).toMatch(/^202 .*"status":"accepted"/)
      expect(await send(mode, event)).toBe(first)
      expect(await send(mode, { ...event, id: '2' })).not.toBe(first)
      await eventually('2 events are listed', async () => (await listed(subject)).length === 2)
      const shown = { type: 'task.progress', task_id: subject, agent: 'analyzer', created_at: time }
      for (const each of await listed(subject))
        expect(each).toMatchObject({ ...shown, data: { task_id: subject, ...data } })
    },
  )

  test('writes the entries of a batch', async () => {
    const subject = `task-${name}-batch`
    const time = new Date().toISOString()
    const base = { source: `/fleet/${name}`, type: 'task.progress', subject, time, agent: 'analyzer' }
    const event = { ...base, id: 'first', note: '50 % "Grüße"', data: { message: 'Grüße 🚀' } }
    const answer = await send('batch', event)
    expect(answer).toMatch(/^202 (.*"status":"accepted"){2}/)
    // The entry and the event alone are one and the same.
    const [first] = (JSON.parse(answer.slice(4)) as { data: { id: string }[] }).data
    expect(await send('structured', event)).toContain(first?.id)
    await eventually('2 events are listed', async () => (await listed(subject)).length === 2)
    for (const each of await listed(subject)) expect(each).toMatchObject({ agent: 'analyzer', created_at: time })
  })
})

test('a batch of CloudEvents has a result for each entry', async () => {
  const time = new Date().toISOString()
  const event = { specversion: '1.0', source: '/x', type: 'task.created', subject: 'batched', time, data: {} }
  const body = JSON.stringify([
    { ...event, id: '1' },
    { ...event, id: '2', type: 'no.such' },
    { ...event, id: '3' },
  ])
  const answer = await post({ 'content-type': 'application/cloudevents-batch+json' }, body)
  expect(answer).toMatch(/^207 /)
  expect(JSON.parse(answer.slice(4))).toMatchObject({
    data: [
      { index: 0, status: 'accepted' },
      { index: 1, status: 'refused', error: { code: 'invalid_value', pointer: '/type' } },
      { index: 2, status: 'accepted' },
    ],
  })
  await eventually('2 events are listed', async () => (await listed('batched')).length === 2)
})

test('an event that was read from the log can be posted again with its id, and still belongs to its tenant', async () => {
  const answer = await system.post('/v1/events', '{"type":"task.created","task_id":"again","data":{}}', 202)
  const id = (answer as { data: { id: string }[] }).data[0]?.id ?? ''
  const headers = { 'ce-specversion': '1.0', 'ce-id': id, 'ce-source': '/tenants/default', 'ce-type': 'task.created' }
  const posted = await post({ ...headers, 'ce-taskid': 'again', 'content-type': 'application/json' }, '{}')
  expect(posted).toContain(`"id":"${id}","status":"accepted"`)
  await eventually('1 event is listed', async () => (await listed('again')).length === 1)
  const refused = await post({ ...headers, 'ce-tenant': 'other', 'content-type': 'application/json' }, '{}')
  expect(refused).toContain('"parameter":"ce-tenant"')
})
