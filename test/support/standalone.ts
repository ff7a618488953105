import { createWorld, testFolder, type World } from '@ariftly/testkit'
import { checkResponse } from './check-response.ts'
import { recordAnswer } from './record-answer.ts'

/** The whole product in one process on one port, on its own world, with a key of tenant `default`. */
export interface Standalone {
  readonly url: string
  readonly apiKey: string
  readonly env: Readonly<Record<string, string>>
  apiKeyOf: World['apiKey']
  /**
   * Sends a request with the key of tenant `default`; another `authorization` header wins. Throws if the answer is not as the OpenAPI
   * document says.
   */
  request(path: string, init?: RequestInit): Promise<Response>
  /** Posts raw JSON and answers with the parsed body; throws if the status is not the expected one. */
  post(path: string, body: string, expectedStatus: number): Promise<unknown>
  close(): Promise<void>
}

/** Starts it; `env` overrides the world's settings. */
export async function startStandalone(env: Readonly<Record<string, string>> = {}): Promise<Standalone> {
  const dataDir = testFolder('standalone-data')
  const world = await createWorld({ env: { DATA_DIR: dataDir, ...env } })
  const service = await world.startService('standalone')
  const apiKey = await world.apiKey('default', ['events:write', 'events:read', 'webhooks', 'admin'])

  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${apiKey}`)
    const response = await fetch(`${service.url}${path}`, { ...init, headers })
    await checkAgainstDocument(init.method ?? 'GET', path, response)
    return response
  }

  async function post(path: string, body: string, expectedStatus: number): Promise<unknown> {
    const response = await request(path, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    const text = await response.text()
    if (response.status !== expectedStatus) throw new Error(`POST ${path} answered ${response.status}: ${text}`)
    return JSON.parse(text)
  }

  return {
    url: service.url,
    apiKey,
    env: world.env,
    apiKeyOf: world.apiKey.bind(world),
    request,
    post,
    async close() {
      service.kill('SIGTERM')
      await service.exited
      await world.close()
    },
  }
}

async function checkAgainstDocument(method: string, path: string, response: Response): Promise<void> {
  const contentType = response.headers.get('content-type')
  const isPublic = /^\/(v1|docs|problems|(openapi|asyncapi)\.json|llms\.txt)/.test(path)
  if (!isPublic || ['HEAD', 'OPTIONS'].includes(method) || contentType?.startsWith('text/event-stream') === true) return
  const answer = { method, path, status: response.status, contentType, body: await response.clone().text() }
  recordAnswer(answer)
  const fault = checkResponse(answer)
  if (fault !== undefined) throw new Error(fault)
}
