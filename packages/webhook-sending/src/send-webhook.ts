import type { Egress, EgressOutcome } from '@ariftly/egress'
import type { Keyring } from '@ariftly/keyring'
import { messageOf, type Logger } from '@ariftly/runtime'
import type { TraceContext } from '@ariftly/trace-context'
import { endAttemptSpan, startAttemptSpan, type AttemptTrace } from './trace-attempt.ts'
import type { OutgoingWebhook, WebhookFormat } from './webhook-format.ts'
import { buildRequest } from './webhook-request.ts'

/** What sending takes. */
export interface SendingOptions {
  readonly format: Pick<WebhookFormat, 'body' | 'headers'>
  readonly egress: Pick<Egress, 'send'>
  readonly keyring: Pick<Keyring, 'open'>
  /** Deadline of the whole exchange. */
  readonly timeoutMs: number
  readonly log: Pick<Logger, 'error' | 'info'>
  /** Epoch milliseconds of the attempt: its signature's time. */
  readonly nowMs: number
  /** Undefined when no traces are collected. */
  readonly trace?: AttemptTrace | undefined
}

/** The stored details of an attempt. Times in ms; null for a step that was not reached. */
export interface AttemptRecord {
  readonly startedAtMs: number
  readonly dnsMs: number | null
  readonly connectMs: number | null
  readonly tlsMs: number | null
  readonly firstByteMs: number | null
  readonly totalMs: number
  readonly address: string | null
  readonly status: number | null
  /** Null: a success. */
  readonly errorClass: string | null
  readonly errorDetail: string | null
  /** JSON object of names and values. */
  readonly responseHeaders: string | null
  readonly responseBody: Buffer | null
}

/** An attempt that was made. */
export interface SentAttempt {
  /** The record to store; `errorClass` null is a success. */
  readonly record: AttemptRecord
  /** `Retry-After` of the answer, unread. */
  readonly retryAfter: string | undefined
  /** Why no address of the host may be reached, for operators alone; null when one was dialled. */
  readonly unreachable: string | null
}

/**
 * Makes one attempt: signs, sends, and returns the outcome. Never rejects. A request that cannot be signed (a missing
 * encryption key, which the retries give time to restore) is logged and counts as `blocked`. The reason why a host cannot be
 * reached is only logged: tenants do not see it.
 */
export async function sendWebhook(webhook: OutgoingWebhook, o: SendingOptions): Promise<SentAttempt> {
  const span = o.trace === undefined ? undefined : startAttemptSpan(webhook, o.trace)
  const sent = await exchange(webhook, o, span?.context)
  if (span !== undefined) endAttemptSpan(span, sent)
  const { unreachable, address, errorDetail } = sent
  if (unreachable !== null) {
    const { webhookId, tenant, url } = webhook
    const host = new URL(url).hostname
    o.log.info(
      { webhook: webhookId, tenant, host, unreachable, address, detail: errorDetail },
      'a host cannot be reached',
    )
  }
  return {
    record: {
      startedAtMs: o.nowMs,
      ...sent.timing,
      address: sent.address,
      status: sent.status,
      errorClass: sent.errorClass,
      errorDetail: sent.errorDetail?.replaceAll('\0', '') ?? null,
      responseHeaders: sent.responseHeaders === null ? null : JSON.stringify(sent.responseHeaders),
      responseBody: sent.responseBody,
    },
    retryAfter: sent.responseHeaders?.['retry-after'],
    unreachable,
  }
}

async function exchange(
  webhook: OutgoingWebhook,
  o: SendingOptions,
  span: TraceContext | undefined,
): Promise<EgressOutcome> {
  try {
    const { format, keyring, nowMs, timeoutMs } = o
    return await o.egress.send(buildRequest(webhook, { format, keyring, nowMs, timeoutMs, span }))
  } catch (error) {
    o.log.error({ err: error, webhook: webhook.webhookId }, 'a webhook cannot be signed')
    return unsent(messageOf(error))
  }
}

function unsent(errorDetail: string): EgressOutcome {
  const timing = { dnsMs: null, connectMs: null, tlsMs: null, firstByteMs: null, totalMs: 0 }
  return {
    errorClass: 'blocked',
    errorDetail,
    unreachable: null,
    status: null,
    address: null,
    timing,
    responseHeaders: null,
    responseBody: null,
  }
}
