import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createOauthTokens } from './oauth-token.ts'

interface Asked {
  readonly authorization: string | undefined
  readonly body: string
}

let server: Server
let tokenUrl: string
let asked: Asked[]
let answer: { status: number; body: unknown }

beforeEach(async () => {
  asked = []
  answer = { status: 200, body: {} }
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, body })
      response.writeHead(answer.status, { 'Content-Type': 'application/json' })
      response.end(
        JSON.stringify({ access_token: `token-${asked.length}`, expires_in: 100, ...(answer.body as object) }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const client = () => ({ tokenUrl, clientId: 'events', clientSecret: 's:e c', scope: 'kafka' })

describe('tokens for logins at Kafka', () => {
  test('are from the client credentials grant, and concurrent calls share a request', async () => {
    const token = createOauthTokens(client())
    expect(await Promise.all([token(), token(), token()])).toEqual(['token-1', 'token-1', 'token-1'])
    expect(asked).toEqual([
      {
        authorization: `Basic ${Buffer.from('events:s%3Ae%20c').toString('base64')}`,
        body: 'grant_type=client_credentials&scope=kafka',
      },
    ])
  })

  test('are kept until four fifths of their life are over', async () => {
    let nowMs = 0
    const token = createOauthTokens(client(), () => nowMs)
    await token()
    nowMs = 79_999
    expect(await token()).toBe('token-1')
    nowMs = 80_000
    expect(await token()).toBe('token-2')
  })

  test('are asked for again after a failure, which names no secret', async () => {
    const token = createOauthTokens(client())
    answer = { status: 401, body: {} }
    const refused = await token().catch((error: Error) => error)
    expect(refused).toMatchObject({ code: 'oauth_token', retryable: true, message: expect.stringContaining('401') })
    expect(String(refused)).not.toContain('s:e c')
    answer = { status: 200, body: {} }
    expect(await token()).toBe('token-2')
  })

  test('a broken answer and an unavailable endpoint are faults', async () => {
    answer = { status: 200, body: { access_token: 7 } }
    await expect(createOauthTokens(client())()).rejects.toMatchObject({ code: 'oauth_token' })
    const away = { ...client(), tokenUrl: 'http://127.0.0.1:1/token' }
    await expect(createOauthTokens(away)()).rejects.toMatchObject({ code: 'oauth_token' })
  })
})
