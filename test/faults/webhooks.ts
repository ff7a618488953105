import { Webhook } from 'standardwebhooks'
import { rawDataObjects } from '../support/raw-data.ts'
import { verifyWebhook } from '../support/verify-webhook.ts'
import type { DeliverySeen, Wanted, WebhookSeen } from './ledger.ts'

/** A webhook that the test registered. */
export interface Subscription {
  readonly id: string
  readonly name: string
  readonly tenant: string
  readonly wanted: Wanted
  readonly secret: string
}

/** One request as the receiver kept it. */
export interface ReceivedRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
  /** When it arrived, epoch milliseconds. */
  readonly atMs: number
}

/** Creates a webhook through the public API. */
export async function subscribe(
  api: string,
  apiKey: string,
  o: { readonly name: string; readonly tenant: string; readonly wanted: Wanted; readonly url: string },
): Promise<Subscription> {
  const secret = `secret of ${o.name} !`
  const { taskId, types } = o.wanted
  const body = { url: o.url, events: types ?? ['*'], secret, ...(taskId === undefined ? {} : { task_id: taskId }) }
  const response = await fetch(`${api}/v1/webhooks`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (response.status !== 201) throw new Error(`webhook not created: ${response.status} ${await response.text()}`)
  const { id } = (await response.json()) as { id: string }
  return { id, name: o.name, tenant: o.tenant, wanted: o.wanted, secret }
}

/** Sorts the receiver's requests by webhook and verifies each with both of the ways that receivers have. */
export function seenByWebhook(
  subscriptions: readonly Subscription[],
  requests: readonly ReceivedRequest[],
): readonly WebhookSeen[] {
  return subscriptions.map((subscription) => {
    const { id, name, tenant, wanted } = subscription
    const own = requests.filter((request) => header(request, 'x-ariftly-webhook-id') === id)
    return { name, tenant, wanted, received: own.map((request) => delivery(request, subscription)) }
  })
}

/**
 * Returns whether a webhook has received an event. Reads each request once and only its headers, as slow checks would delay the
 * receiver's answers.
 */
export function createArrivals(requests: readonly ReceivedRequest[]): (webhookId: string, eventId: string) => boolean {
  const byWebhook = new Map<string, Set<string>>()
  let checked = 0

  function note(request: ReceivedRequest): void {
    const webhookId = header(request, 'x-ariftly-webhook-id')
    const ids = byWebhook.get(webhookId) ?? new Set<string>()
    byWebhook.set(webhookId, ids.add(header(request, 'webhook-id')))
  }

  return function hasArrived(webhookId, eventId) {
    for (; checked < requests.length; checked += 1) note(requests[checked] as ReceivedRequest)
    return byWebhook.get(webhookId)?.has(eventId) === true
  }
}

function delivery(request: ReceivedRequest, { secret }: Subscription): DeliverySeen {
  const text = request.body.toString()
  return {
    webhookId: header(request, 'webhook-id'),
    eventId: /"id":"(evt_[0-9a-z]{26})"/.exec(text)?.[1] ?? '',
    data: rawDataObjects(text)[0] ?? '',
    verified: verifyWebhook(text, header(request, 'x-ariftly-signature'), secret) && verifiesStandard(request, secret),
  }
}

/** Standard Webhooks: a timestamp that is further than this from the time of arrival is refused. */
const TOLERANCE_MS = 5 * 60_000

/** Like the library's `verify`, without its check of the age: a long run verifies its requests minutes after they arrived. */
function verifiesStandard(request: ReceivedRequest, secret: string): boolean {
  const sentAt = new Date(Number(header(request, 'webhook-timestamp')) * 1000)
  if (!(Math.abs(request.atMs - sentAt.getTime()) <= TOLERANCE_MS)) return false
  const expected = new Webhook(secret, { format: 'raw' }).sign(header(request, 'webhook-id'), sentAt, request.body)
  return header(request, 'webhook-signature').split(' ').includes(expected)
}

function header(request: ReceivedRequest, name: string): string {
  return String(request.headers[name] ?? '')
}
