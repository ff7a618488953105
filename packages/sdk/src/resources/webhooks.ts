import type {
  GetWebhookStatsQuery,
  ListDeliveriesQuery,
  ListedDelivery,
  ListReplaysQuery,
  ListWebhooksQuery,
  NewWebhook,
  Replay,
  ReplayRequest,
  RotateSecret,
  TestAttempt,
  TestWebhook,
  Webhook,
  WebhookChanges,
  WebhookStats,
  WebhookWithSecret,
} from '../api-types.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../lists.ts'
import type { ReceivedHeaders, UnwrapOptions } from '../webhooks/received.ts'
import type { Delivered } from '../webhooks/unwrap.ts'
import { path, Resource, type CreateOptions } from './resource.ts'

/** Webhooks: events sent to an address of yours (scope `webhooks`). */
export class Webhooks extends Resource {
  /** The answer holds the secret, this once. */
  async create(webhook: NewWebhook, options?: CreateOptions): Promise<WebhookWithSecret> {
    return await this.make('/v1/webhooks', webhook, options)
  }

  /** Newest first. */
  list(query?: ListWebhooksQuery, options?: CallOptions): List<Webhook> {
    return this.pages('/v1/webhooks', query, options)
  }

  async get(id: string, options?: CallOptions): Promise<Webhook> {
    return await this.read(path`/v1/webhooks/${id}`, {}, options)
  }

  async update(id: string, changes: WebhookChanges, options?: CallOptions): Promise<Webhook> {
    return await this.write('PATCH', path`/v1/webhooks/${id}`, changes, options)
  }

  /** Its pending deliveries are cancelled. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    await this.write('DELETE', path`/v1/webhooks/${id}`, undefined, options)
  }

  /** The answer holds the new secret, this once; the old one stays valid for `overlap_hours`. */
  async rotateSecret(id: string, rotation: RotateSecret = {}, options?: CreateOptions): Promise<WebhookWithSecret> {
    return await this.make(path`/v1/webhooks/${id}/rotate-secret`, rotation, options)
  }

  /** Sends an example now and returns the attempt. */
  async test(id: string, test: TestWebhook = {}, options?: CallOptions): Promise<TestAttempt> {
    return await this.write('POST', path`/v1/webhooks/${id}/test`, test, options)
  }

  async stats(id: string, query?: GetWebhookStatsQuery, options?: CallOptions): Promise<WebhookStats> {
    return await this.read(path`/v1/webhooks/${id}/stats`, query, options)
  }

  /** Delivers past events again; the work continues after the answer. */
  async replay(id: string, request: ReplayRequest, options?: CreateOptions): Promise<Replay> {
    return await this.make(path`/v1/webhooks/${id}/replay`, request, options)
  }

  /** Newest first. */
  listReplays(id: string, query?: ListReplaysQuery, options?: CallOptions): List<Replay> {
    return this.pages(path`/v1/webhooks/${id}/replays`, query, options)
  }

  async getReplay(id: string, replay: string, options?: CallOptions): Promise<Replay> {
    return await this.read(path`/v1/webhooks/${id}/replays/${replay}`, {}, options)
  }

  async cancelReplay(id: string, replay: string, options?: CallOptions): Promise<void> {
    await this.write('DELETE', path`/v1/webhooks/${id}/replays/${replay}`, undefined, options)
  }

  /** Verifies a delivery that was received and answers with its event: `unwrap` of `@ariftly/sdk/webhooks`, which is loaded at the first call. */
  async unwrap(
    rawBody: string | Uint8Array,
    headers: ReceivedHeaders,
    secrets: string | readonly string[],
    options?: UnwrapOptions,
  ): Promise<Delivered> {
    const { unwrap } = await import('../webhooks/unwrap.ts')
    return await unwrap(rawBody, headers, secrets, options)
  }

  /** Deliveries of one webhook, newest first: `deliveries.list` with its `webhook_id`, but a NotFoundError for an unknown one. */
  listDeliveries(id: string, query?: ListDeliveriesQuery, options?: CallOptions): List<ListedDelivery> {
    return this.pages(path`/v1/webhooks/${id}/deliveries`, query, options)
  }
}
