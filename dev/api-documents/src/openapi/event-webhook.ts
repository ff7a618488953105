import type { OpenapiOperation } from './document.ts'
import { ref } from './schema-ref.ts'

const EXAMPLE = {
  object: 'event',
  id: 'evt_01m88y3fz3eeksq399rkr6wnx3',
  type: 'task.progress',
  created_at: '2026-11-25T08:45:37.123Z',
  task_id: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5',
  agent: 'analyzer',
  session_id: null,
  data: { task_id: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5', message: 'Analyzing document', progress: 0.3 },
} as const

const header = (name: string, description: string, example: string): object => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
  example,
})

/** The request that a webhook receives. */
export const EVENT_WEBHOOK = {
  operationId: 'receiveEvent',
  summary: 'An event that matches a webhook',
  description:
    'Sent at least once, with 15 seconds for the whole exchange. Any 2xx is a success; anything else is retried on a schedule of 13 attempts. Verify the signature over the raw body, and dedupe by `webhook-id`.',
  tags: ['Webhooks'],
  security: [],
  parameters: [
    header(
      'webhook-id',
      'The id of the event: the same at every attempt, redelivery and replay.',
      'evt_01m88y3fz3eeksq399rkr6wnx3',
    ),
    header('webhook-timestamp', 'When this attempt was signed, in Unix seconds.', '1764060337'),
    header(
      'webhook-signature',
      '`v1,` and the base64 HMAC-SHA256 of `<id>.<timestamp>.<body>` (Standard Webhooks); two, separated by a space, while a secret is rotated.',
      'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
    ),
    header(
      'X-Ariftly-Signature',
      '`sha256=` and the hex HMAC-SHA256 of the body under the secret.',
      `sha256=${'0'.repeat(64)}`,
    ),
    header('X-Ariftly-Webhook-Id', 'Which webhook this is.', 'whk_01m88y3fz3eeksq399rkr6wnx3'),
  ],
  requestBody: {
    required: true,
    content: { 'application/json': { schema: ref('Event'), examples: { event: { value: EXAMPLE } } } },
  },
  responses: {
    '2XX': { description: 'Received.' },
    '410': { description: 'No longer wanted: the webhook is disabled.' },
    default: { description: 'Retried.' },
  },
} as unknown as OpenapiOperation
