import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLogger, createMetrics, readConfig, type Running } from '@ariftly/runtime'
import { eventually, stackAddresses } from '@ariftly/testkit'
import { apiConfig, start } from './service.ts'

/** One api process of a test, with its own cache of keys and its own reading of their feed. */
export interface TestApi {
  readonly running: Running
  /** `http://127.0.0.1:…`. */
  readonly base: string
  /** Status, headers and JSON body (`{}` for none) of an answer. */
  call(method: string, path: string, key: string, body?: unknown, headers?: Record<string, string>): Promise<TestAnswer>
  close(): Promise<void>
}

/** An answer of {@link TestApi}. */
interface TestAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: TestBody
}

/** A JSON body, with the members that tests read most. */
type TestBody = Readonly<Record<string, unknown>> & {
  readonly id?: string
  readonly key?: string
  readonly data?: readonly TestBody[]
}

/** Starts an api on a port of its own and waits until it is ready. Writes are not paced unless `env` says so. */
export async function startTestApi(
  databaseUrl: string,
  encryptionKeys: string,
  env: Readonly<Record<string, string>> = {},
): Promise<TestApi> {
  const abort = new AbortController()
  const log = createLogger({ service: 'test', level: 'silent' })
  const given = {
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: stackAddresses().kafka,
    ENCRYPTION_KEYS: encryptionKeys,
    ADMIN_WRITES_PER_S: '100000',
    ...env,
  }
  const running = await start(readConfig(apiConfig, given), { log, metrics: createMetrics(), signal: abort.signal })
  const server: Server = createServer(running.router)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await eventually(() => running.ready().ready)

  async function call(
    method: string,
    path: string,
    key: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<TestAnswer> {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    const parsed = (text === '' ? {} : JSON.parse(text)) as TestBody
    return { status: response.status, headers: response.headers, body: parsed }
  }

  async function close(): Promise<void> {
    server.close()
    server.closeAllConnections()
    abort.abort()
    await running.close()
  }

  return { running, base, call, close }
}
