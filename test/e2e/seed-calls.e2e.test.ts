import { spawn, type ChildProcess } from 'node:child_process'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver } from '@ariftly/testkit'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { verifyWebhook } from '../support/verify-webhook.ts'

// The three calls of the product's page, word for word: only the host (and the key's value) differs.
const STREAM_CALL = `curl -N https://api.ariftly.io/v1/events/stream \\
  -H "Authorization: Bearer $ARIFTLY_API_KEY" \\
  -H "Accept: text/event-stream" \\
  --data-urlencode "task_id=task_01j9x8k..."`

const STREAMED = [
  'event: task.progress\ndata: {"task_id":"task_01j9x8k...","message":"Analyzing document","progress":0.3}\n',
  'event: artifact.emitted\ndata: {"task_id":"task_01j9x8k...","artifact_id":"art_01j9x8m...","type":"ai_readiness.questionnaire_response"}\n',
  'event: task.complete\ndata: {"task_id":"task_01j9x8k...","artifact_count":1}\n',
]

const WEBHOOK_BODY = `{
  "url": "https://your-server.com/ariftly-webhook",
  "events": ["task.complete", "approval.requested"],
  "secret": "your-signing-secret"
}`

let system: Standalone
const children: ChildProcess[] = []

beforeAll(async () => {
  system = await startStandalone()
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})
afterAll(async () => {
  await system?.close()
})

describe('the calls of the product page', () => {
  test('the curl for the stream, pasted unchanged, prints the frames that the page shows', async () => {
    const output = runShell(STREAM_CALL.replace('https://api.ariftly.io', system.url))
    await eventually('the stream is open', () => output.text.includes('retry:'))
    await postShownEvents('task_01j9x8k...')
    await postShownEvents('task_of_another')
    await eventually('the last event is streamed', () => output.text.includes('event: task.complete'))
    const frames = output.text.split('\n\n').filter((frame) => /^event: (task|artifact)\./m.test(frame))
    expect(frames.map((frame) => frame.replace(/id: v1\.\S+$/, ''))).toEqual(STREAMED)
  })

  test('GET /v1/events/stream with the parameters of the page streams the same', async () => {
    const query = 'task_id=task_get&agent=analyzer&types=task.progress,task.complete'
    const output = runShell(
      `curl -sN "${system.url}/v1/events/stream?${query}" -H "Authorization: Bearer $ARIFTLY_API_KEY"`,
    )
    await eventually('the stream is open', () => output.text.includes('retry:'))
    await postShownEvents('task_get')
    await eventually('the last event is streamed', () => output.text.includes('event: task.complete'))
    expect(output.text).toContain('event: task.progress')
    expect(output.text).not.toContain('event: artifact.emitted')
  })

  test('GET /v1/events takes every parameter of the page', async () => {
    const after = new Date(Date.now() - 60_000).toISOString()
    const ids = await postShownEvents('task_listed')
    const before = new Date(Date.now() + 60_000).toISOString()
    const query = `task_id=task_listed&agent=analyzer&type=task.complete&after=${after}&before=${before}&limit=500`
    await eventually('all events are listed', async () => {
      const response = await system.request(`/v1/events?${query}`)
      expect(response.status).toBe(200)
      const list = (await response.json()) as { object: string; has_more: boolean; data: { id: string }[] }
      expect(list).toMatchObject({ object: 'list', has_more: false })
      expect(list.data.map(({ id }) => id)).toEqual([ids[2]])
      return true
    })
    const limited = await system.request('/v1/events?task_id=task_listed&limit=2')
    expect(((await limited.json()) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual([ids[2], ids[1]])
    const earlier = await system.request(`/v1/events?task_id=task_listed&before=${after}`)
    expect(await earlier.json()).toMatchObject({ data: [], has_more: false })
  })

  test('POST /v1/webhooks takes the body of the page', async () => {
    const created = await system.post('/v1/webhooks', WEBHOOK_BODY, 201)
    expect(created).toMatchObject({
      object: 'webhook',
      id: expect.stringMatching(/^whk_/),
      url: 'https://your-server.com/ariftly-webhook',
      events: ['task.complete', 'approval.requested'],
      secret: 'your-signing-secret',
      enabled: true,
    })
    const { id } = created as { id: string }
    const shown = (await (await system.request(`/v1/webhooks/${id}`)).json()) as object
    expect(shown).toMatchObject({ id })
    expect(shown).not.toHaveProperty('secret')
    expect((await system.request(`/v1/webhooks/${id}`, { method: 'DELETE' })).status).toBe(204)
  })

  test('the verifyWebhook of the page accepts deliveries and refuses a changed byte', async () => {
    const receiver = await startReceiver()
    try {
      const host = new URL(receiver.url).origin
      await system.post('/v1/webhooks', WEBHOOK_BODY.replace('https://your-server.com', host), 201)
      const ids = await postShownEvents('task_signed')
      await receiver.received(1)
      const [request] = receiver.requests
      const payload = request?.body.toString() ?? ''
      const signature = String(request?.headers['x-ariftly-signature'])
      expect(JSON.parse(payload)).toMatchObject({ id: ids[2], type: 'task.complete' })
      expect(verifyWebhook(payload, signature, 'your-signing-secret')).toBe(true)
      expect(verifyWebhook(payload.replace('task.complete', 'task.Complete'), signature, 'your-signing-secret')).toBe(
        false,
      )
    } finally {
      await receiver.close()
    }
  })
})

/** The three events that the page shows, for a task; answers their ids. */
async function postShownEvents(task: string): Promise<readonly string[]> {
  const entries = STREAMED.map((frame) => {
    const [, type, data] = /^event: (\S+)\ndata: (.*)\n$/.exec(frame) ?? []
    return `{"type":"${type}","task_id":"${task}","agent":"analyzer","data":${data?.replace('task_01j9x8k...', task)}}`
  })
  const answer = (await system.post('/v1/events', `[${entries.join(',')}]`, 202)) as { data: { id: string }[] }
  return answer.data.map(({ id }) => id)
}

function runShell(command: string): { text: string } {
  const child = spawn('exec ' + command, {
    shell: true,
    env: { ...process.env, ARIFTLY_API_KEY: system.apiKey },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  children.push(child)
  const output = { text: '' }
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output.text += chunk))
  return output
}
