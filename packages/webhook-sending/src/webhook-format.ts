import { renderEvent, type LogEvent } from '@ariftly/events'
import { signWebhook } from '@ariftly/signatures'

/** A webhook and the event that it is sent. */
export interface OutgoingWebhook {
  readonly webhookId: string
  readonly tenant: string
  readonly url: string
  /** Sealed with `webhookAad`. */
  readonly secret: Buffer
  /** Sealed; null unless a rotation's overlap is running. */
  readonly previousSecret: Buffer | null
  /** Sealed JSON object of names and values; null when there are none. */
  readonly headers: Buffer | null
  /** W3C trace context of the event's record. */
  readonly traceparent: string | null
  readonly event: Omit<LogEvent, 'tenant' | 'traceparent'>
}

/** Where one attempt goes and what it sends. */
interface WebhookMessage {
  readonly webhook: OutgoingWebhook
  readonly body: Buffer
  /** What it is signed with, the oldest first. */
  readonly secrets: readonly string[]
  /** Epoch milliseconds of the attempt. */
  readonly nowMs: number
  /** W3C trace context. */
  readonly traceparent: string
}

/** When a failed delivery is sent again. */
export interface RetryPlan {
  /** Waits between the attempts of a delivery, in seconds; attempt n + 1 follows after the n-th of them. */
  readonly scheduleS: readonly number[]
  /** Each wait is longer or shorter by up to this part of it. */
  readonly jitter: number
  /** A longer `Retry-After` makes a wait longer, up to this. */
  readonly retryAfterMsMax: number
}

/** A format of webhooks: what is sent, when it is sent again, and which answer ends the webhook. Another format is another object. */
export interface WebhookFormat {
  readonly body: (event: OutgoingWebhook['event']) => Buffer
  /** Lower-case names; they win over the subscriber's own. */
  readonly headers: (message: WebhookMessage) => Readonly<Record<string, string>>
  readonly retries: RetryPlan
  /** Whether an answer says that the receiver wants no more, so that the webhook is disabled. */
  readonly isGone: (status: number | null) => boolean
}

/**
 * The format of all webhooks. The body is the event object; signature and timestamp are of the attempt, the `webhook-id` is the event's.
 *
 * Retries, cumulative: 5 s, 35 s, 2 min 35 s, 12 min 35 s, 42 min 35 s, 1 h 43 min, 4 h 43 min, 10 h 43 min, 22 h 43 min, 1 d 23 h, 2 d 23 h,
 * 3 d 23 h: 13 attempts in four days. Each status but 2xx is tried again, 410 and 413 too: a receiver's limit may be raised. A 410 disables the webhook.
 */
export const STANDARD_FORMAT: WebhookFormat = {
  body: renderEvent,
  headers: ({ webhook, body, secrets, nowMs, traceparent }) => ({
    'content-type': 'application/json',
    'user-agent': 'Ariftly-Webhooks/1',
    ...signWebhook({ id: webhook.event.id, timestampS: Math.floor(nowMs / 1000), body, secrets }),
    'x-ariftly-webhook-id': webhook.webhookId,
    traceparent,
  }),
  retries: {
    scheduleS: [5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 86_400, 86_400],
    jitter: 0.2,
    retryAfterMsMax: 86_400_000,
  },
  isGone: (status) => status === 410,
}
