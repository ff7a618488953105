import { Fault } from '@ariftly/fault'

/** Client credentials at a token endpoint. */
export interface OauthClient {
  readonly tokenUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string | undefined
}

/** A token is renewed when less than this part of its life is left, so that no login gets an expiring one. */
const REMAINING_MIN = 0.2
const TIMEOUT_MS = 5_000
/** For endpoints that do not say how long a token lasts. */
const DEFAULT_LIFE_S = 300

/**
 * Makes a function that returns an access token for logins at Kafka, from the client credentials grant (RFC 6749, section 4.4).
 * Tokens are kept until four fifths of their life are over, and calls at the same time share one request.
 * @throws Fault `oauth_token`, retryable, when the endpoint gives none within 5 s. Its message has no secret.
 */
export function createOauthTokens(client: OauthClient, now: () => number = Date.now): () => Promise<string> {
  let token: Promise<Token> | undefined

  async function current(): Promise<string> {
    const kept = await token?.catch(() => undefined)
    if (kept !== undefined && now() < kept.renewAtMs) return kept.value
    token = requestToken(client, now)
    return (await token).value
  }

  let running: Promise<string> | undefined
  return function oauthToken() {
    running ??= current().finally(() => (running = undefined))
    return running
  }
}

interface Token {
  readonly value: string
  readonly renewAtMs: number
}

async function requestToken(client: OauthClient, now: () => number): Promise<Token> {
  const askedAtMs = now()
  const body = new URLSearchParams({ grant_type: 'client_credentials' })
  if (client.scope !== undefined) body.set('scope', client.scope)
  const credentials = [client.clientId, client.clientSecret].map(encodeURIComponent).join(':')
  const answer = await post(client.tokenUrl, body, `Basic ${Buffer.from(credentials).toString('base64')}`)
  const { access_token: value, expires_in: lifeS = DEFAULT_LIFE_S } = answer
  if (typeof value !== 'string' || typeof lifeS !== 'number') throw tokenFault('the answer has no access_token')
  return { value, renewAtMs: askedAtMs + lifeS * 1_000 * (1 - REMAINING_MIN) }
}

async function post(
  url: string,
  body: URLSearchParams,
  authorization: string,
): Promise<{ readonly access_token?: unknown; readonly expires_in?: unknown }> {
  try {
    const headers = { authorization, accept: 'application/json' }
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const response = await fetch(url, { method: 'POST', body, headers, signal, redirect: 'error' })
    if (!response.ok) throw tokenFault(`the endpoint answered ${response.status}`)
    return (await response.json()) as object
  } catch (error) {
    if (error instanceof Fault) throw error
    throw tokenFault('the endpoint cannot be reached', error)
  }
}

function tokenFault(reason: string, cause?: unknown): Fault {
  return new Fault({
    code: 'oauth_token',
    message: `No token for Kafka from KAFKA_OAUTH_TOKEN_URL: ${reason}.`,
    retryable: true,
    cause,
  })
}
