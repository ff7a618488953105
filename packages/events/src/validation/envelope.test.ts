import { expect, test } from '@jest/globals'
import { deriveEventId } from '../event-id.ts'
import { toEnd } from './test-to-end.ts'
import { validateEvents } from './validate-events.ts'

test('the text of a member is its own, however the one before it was written', () => {
  const nowMs = Date.now()
  // Each has the bytes of the text before it, or other bytes for the same text.
  const keys = ['a\\\\b', 'a\\b', 'a\\b', 'Ã©', 'é', 'é', '\\u00e9', 'k', '\\u006b', 'k']
  const head = `"created_at":"${new Date(nowMs).toISOString()}","type":"task.progress","task_id":"t","data":{"message":"m"}`
  const body = `[${keys.map((key) => `{"idempotency_key":"${key}",${head}}`).join()}]`
  const { result } = toEnd(validateEvents(Buffer.from(body), 'json', { tenant: 'acme', nowMs, traceparent: null }))
  expect(result).toMatchObject({
    entries: keys.map((key) => ({ event: { id: deriveEventId(nowMs, 'acme', JSON.parse(`"${key}"`) as string) } })),
  })
})
