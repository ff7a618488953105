import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLogger, createMetrics, readConfig } from '@ariftly/runtime'
import type { World } from '@ariftly/testkit'
import { apiConfig, start } from '@ariftly-services/api'

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
  const log = createLogger({ service: 'api', level: 'silent' })
  const deps = { log, metrics: createMetrics(), signal: new AbortController().signal }
  const running = await start(readConfig(apiConfig, world.env), deps)
  const server = createServer(running.router)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function close(): Promise<void> {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await running.close()
  }

  return clientOf(origin, key, close)
}

function clientOf(origin: string, key: string, close: () => Promise<void>): ApiClient {
  async function call(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<ApiAnswer> {
    const response = await fetch(origin + path, {
      method,
      ...(signal === undefined ? {} : { signal }),
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const json = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    return { status: response.status, headers: response.headers, json }
  }

  async function createWebhook(body: object): Promise<string> {
    const answer = await call('POST', '/v1/webhooks', body)
    if (answer.status !== 201) throw new Error(`the api answered ${answer.status}: ${JSON.stringify(answer.json)}`)
    return String(answer.json['id'])
  }

  return { call, createWebhook, withKey: (other) => clientOf(origin, other, close), close }
}
