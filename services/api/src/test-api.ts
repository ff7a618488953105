import type { Running } from '@ariftly/runtime'
import { callApi, serveInProcess, stackAddresses } from '@ariftly/testkit'
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
  const given = {
    DATABASE_URL: databaseUrl,
    KAFKA_BROKERS: stackAddresses().kafka,
    ENCRYPTION_KEYS: encryptionKeys,
    ADMIN_WRITES_PER_S: '100000',
    ...env,
  }
  const running = await serveInProcess({ config: apiConfig, start }, given)
  const base = running.url

  async function call(
    method: string,
    path: string,
    key: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<TestAnswer> {
    return await callApi({ url: base + path, key, method, body, headers })
  }

  return { running, base, call, close: () => running.close() }
}
