import type { Operations } from '../operation.ts'
import { answer, BODY_PROBLEMS, jsonBody, LOCATION, NOT_FOUND } from '../answers.ts'
import { oneOf } from '@ariftly/contract'
import { PAGE } from '../parameters.ts'
import { listOf } from '../schema-ref.ts'

const SIGNATURES = `Each delivery is a POST of the event object, at least once. The bytes that are signed are the bytes that are sent.

| header | value |
| --- | --- |
| \`X-Ariftly-Signature\` | \`sha256=\` and the hex HMAC-SHA256 of the body under the secret |
| \`webhook-id\`, \`webhook-timestamp\`, \`webhook-signature\` | [Standard Webhooks](https://www.standardwebhooks.com); \`webhook-id\` is the event's id and stays the same over retries |
| \`X-Ariftly-Webhook-Id\` | which webhook |
| \`traceparent\` | W3C trace context |

2xx within 15 s is success; redirects are not followed; 410 disables the webhook. Else the delivery is tried again 12 times over about 4 days.`

/** Routes of webhooks. */
export const webhookOperations: Operations<
  | 'createWebhook'
  | 'listWebhooks'
  | 'getWebhook'
  | 'getWebhookStats'
  | 'updateWebhook'
  | 'deleteWebhook'
  | 'rotateWebhookSecret'
  | 'testWebhook'
> = {
  createWebhook: {
    tag: 'Webhooks',
    description: SIGNATURES,
    body: jsonBody('NewWebhook', true, [
      {
        name: 'secret',
        summary: 'With a secret of your own',
        value: {
          url: 'https://your-server.com/ariftly-webhook',
          events: ['task.complete', 'approval.requested'],
          secret: 'your-signing-secret',
        },
      },
      {
        name: 'filtered',
        summary: 'Everything of one agent, in order for each task',
        value: {
          url: 'https://your-server.com/ariftly-webhook',
          events: ['*'],
          agent: 'analyzer',
          description: 'Feeds the dashboard',
          headers: { 'X-Environment': 'staging' },
          rate_limit: 50,
          ordering: 'task',
        },
      },
      {
        name: 'payload',
        summary: 'Only what a payload filter lets through',
        value: {
          url: 'https://your-server.com/ariftly-webhook',
          events: ['task.progress'],
          filter: { 'data.progress': { $gte: 0.5 }, agent: { $in: ['analyzer', 'writer'] } },
        },
      },
    ]),
    answers: [{ ...answer(201, 'The webhook and, this once, its secret.', 'WebhookWithSecret'), headers: [LOCATION] }],
    problems: [...BODY_PROBLEMS, { status: 409, codes: ['too_many_webhooks'] }],
  },
  listWebhooks: {
    tag: 'Webhooks',
    description:
      'Newest first. A page counts about a million pending deliveries at most: with more than 100 webhooks that have 10,000 each it may be short and still have `has_more: true`.',
    query: PAGE,
    answers: [
      { status: 200, description: 'A page.', content: [{ type: 'application/json', schema: listOf('Webhook') }] },
    ],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor'] }],
  },
  getWebhook: {
    tag: 'Webhooks',
    description: 'Without its secret.',
    answers: [answer(200, 'The webhook.', 'Webhook')],
    problems: [NOT_FOUND],
  },
  getWebhookStats: {
    tag: 'Webhooks',
    description:
      'Results of first deliveries, at most 5 s old: deliveries count when they end, attempts as they end. Replays, redeliveries and tests do not count. `latency_ms` is from the append to the log to the 2xx, within 10 %.',
    query: [
      {
        name: 'window',
        description: 'How far back: 60, 96 or 168 buckets.',
        schema: oneOf(['1h', '24h', '7d']),
        example: '24h',
      },
    ],
    answers: [answer(200, 'The statistics.', 'WebhookStats')],
    problems: [{ status: 400, codes: ['invalid_parameter'] }, NOT_FOUND],
  },
  updateWebhook: {
    tag: 'Webhooks',
    description:
      'Changes the given members; null clears one. A URL of another origin clears `headers` unless they are given too. Another URL, and enabling it, make its pending deliveries due. The secret is changed with rotate-secret.',
    body: jsonBody('WebhookChanges', true, [
      { name: 'pause', summary: 'Stop for now; deliveries wait', value: { enabled: false } },
      {
        name: 'widen',
        summary: 'More types, no filter by agent',
        value: { events: ['task.*', 'approval.*'], agent: null },
      },
    ]),
    answers: [answer(200, 'The changed webhook.', 'Webhook')],
    problems: [...BODY_PROBLEMS, NOT_FOUND],
  },
  deleteWebhook: {
    tag: 'Webhooks',
    description: 'The webhook gets nothing more; its pending deliveries are cancelled.',
    answers: [{ status: 204, description: 'Deleted.' }],
    problems: [NOT_FOUND],
  },
  rotateWebhookSecret: {
    tag: 'Webhooks',
    description:
      'Sets a new secret: the given one, or a generated one. While the old one overlaps, `webhook-signature` carries both and `X-Ariftly-Signature` stays on the old one.',
    body: jsonBody('RotateSecret', false, [
      { name: 'overlap', summary: 'A generated secret, one day of overlap', value: { overlap_hours: 24 } },
    ]),
    answers: [answer(200, 'The webhook and, this once, its new secret.', 'WebhookWithSecret')],
    problems: [...BODY_PROBLEMS, NOT_FOUND, { status: 409, codes: ['rotation_under_way'] }],
  },
  testWebhook: {
    tag: 'Webhooks',
    description:
      'Sends the example of a type under a fresh id, unstored, at once, and answers with the attempt. After a success its pending deliveries become due.',
    body: jsonBody('TestWebhook', false, [
      { name: 'type', summary: 'A test of one type', value: { type: 'task.complete' } },
    ]),
    answers: [answer(200, 'The attempt, successful or not.', 'TestAttempt')],
    problems: [...BODY_PROBLEMS, NOT_FOUND, { status: 429, codes: ['too_many_queries'] }],
  },
}
