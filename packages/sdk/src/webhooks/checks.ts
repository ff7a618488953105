import type { Received } from './received.ts'
import { areEqual, bodySignature, trioKey, trioSignature } from './signature.ts'

/** One step of the verification of a delivery. */
export interface WebhookCheck {
  /** `standard`: the `webhook-*` headers of Standard Webhooks. `untimed`: `X-Ariftly-Signature`, which says nothing about age. */
  readonly signature: 'standard' | 'untimed'
  /**
   * `headers`: they are there and readable. `time`: it was signed at most `toleranceS` from now. `secrets`: each can be a key. `match`: a signature
   * fits the body under one of the secrets.
   */
  readonly check: 'headers' | 'time' | 'secrets' | 'match'
  /** `skipped`: an earlier check of the same signature, whose result this one needs, has failed. */
  readonly result: 'passed' | 'failed' | 'skipped'
  /** Why, in a few words. */
  readonly reason: string
}

const SIGNED_HEADERS = ['webhook-id', 'webhook-timestamp', 'webhook-signature']

/** Checks the `webhook-*` headers, in the order in which `unwrap` stops at a failure. */
export async function* standardChecks(received: Received): AsyncGenerator<WebhookCheck, void, undefined> {
  const { body, header, secrets, toleranceS, nowS } = received
  const step = stepOf('standard')
  const [id = '', timestamp = '', signatures = ''] = SIGNED_HEADERS.map(header)
  const missing = SIGNED_HEADERS.filter((name) => !header(name))
  const areReadable = missing.length === 0 && /^\d{1,15}$/.test(timestamp)
  if (missing.length > 0) yield step('headers', 'failed', `${missing.join(', ')} missing`)
  else if (areReadable) yield step('headers', 'passed', 'all three are there')
  else yield step('headers', 'failed', 'webhook-timestamp is not a number of seconds')

  if (!areReadable) yield step('time', 'skipped', 'no time is known')
  else {
    const aheadS = Number(timestamp) - nowS
    const result = Math.abs(aheadS) <= toleranceS ? 'passed' : 'failed'
    const reason = `signed ${Math.abs(aheadS)} s ${aheadS > 0 ? 'after' : 'before'} now, ${toleranceS} s are allowed`
    yield step('time', result, result === 'passed' ? reason : `${reason}: is the clock right?`)
  }

  const unusable = secrets.findIndex((secret) => !canBeKey(secret))
  if (unusable === -1) yield step('secrets', 'passed', `${secrets.length} given`)
  else yield step('secrets', 'failed', `after whsec_, secret ${unusable + 1} of ${secrets.length} is not base64`)

  if (!areReadable || unusable !== -1) {
    yield step('match', 'skipped', areReadable ? 'a secret is no key' : 'the headers are not readable')
    return
  }
  const given = signatures.split(' ')
  const matched = await firstMatch(secrets, given, (secret) => trioSignature(secret, id, timestamp, body))
  yield matchStep(step, matched, secrets.length)
}

/** Checks `X-Ariftly-Signature`. */
export async function* untimedChecks({
  body,
  header,
  secrets,
}: Received): AsyncGenerator<WebhookCheck, void, undefined> {
  const step = stepOf('untimed')
  const signature = header('x-ariftly-signature')
  if (!signature) {
    yield step('headers', 'failed', 'x-ariftly-signature missing')
    yield step('match', 'skipped', 'there is no signature')
    return
  }
  yield step('headers', 'passed', 'it is there')
  const matched = await firstMatch(secrets, [signature], (secret) => bodySignature(secret, body))
  yield matchStep(step, matched, secrets.length)
}

type Step = (
  check: WebhookCheck['check'],
  result: WebhookCheck['result'],
  reason: WebhookCheck['reason'],
) => WebhookCheck

function stepOf(signature: WebhookCheck['signature']): Step {
  return (check, result, reason) => ({ signature, check, result, reason })
}

function matchStep(step: Step, matched: number, secrets: number): WebhookCheck {
  return matched === -1
    ? step('match', 'failed', `no signature fits the body under the ${secrets === 1 ? 'secret' : `${secrets} secrets`}`)
    : step('match', 'passed', `fits the body under secret ${matched + 1} of ${secrets}`)
}

/** Index of the first secret under which one of the signatures fits, or -1. All are tried, so that the time does not reveal which fits. */
async function firstMatch(
  secrets: readonly string[],
  given: readonly string[],
  sign: (secret: string) => Promise<string>,
): Promise<number> {
  let matched = -1
  for (const [at, secret] of secrets.entries()) {
    const expected = await sign(secret)
    for (const signature of given) if (areEqual(signature, expected) && matched === -1) matched = at
  }
  return matched
}

function canBeKey(secret: string): boolean {
  try {
    return trioKey(secret).length > 0
  } catch {
    return false
  }
}
