import type { World } from '@ariftly/testkit'
import { apiConfig, start } from '@ariftly-services/api'
import { callApi, serveInProcess } from '@ariftly/testkit'

/** An answer of the API. */
export interface ApiAnswer {
  readonly status: number
  readonly headers: Headers
  readonly json: Readonly<Record<string, unknown>>
}

/** The api service in this process, called as one tenant. */
export interface ApiClient {
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    signal?: AbortSignal,
  ): Promise<ApiAnswer>
  /** Makes a webhook and gives its id. */
  createWebhook(body: object): Promise<string>
  /** The same service, called with another key. */
  withKey(key: string): ApiClient
  close(): Promise<void>
}

/** Starts the api on a world; `key` is the tenant's. */
export async function startApi(world: World, key: string): Promise<ApiClient> {
  const api = await serveInProcess({ config: apiConfig, start }, world.env)
  return clientOf(api.url, key, () => api.close())
}

function clientOf(origin: string, key: string, close: () => Promise<void>): ApiClient {
  async function call(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<ApiAnswer> {
    const { body: json, ...rest } = await callApi({ url: origin + path, key, method, body, signal })
    return { ...rest, json }
  }

  async function createWebhook(body: object): Promise<string> {
    const answer = await call('POST', '/v1/webhooks', body)
    if (answer.status !== 201) throw new Error(`the api answered ${answer.status}: ${JSON.stringify(answer.json)}`)
    return String(answer.json['id'])
  }

  return { call, createWebhook, withKey: (other) => clientOf(origin, other, close), close }
}
