import { sign } from '@ariftly/sdk/webhooks'
import { isLoopback } from '../../settings/read-server.ts'
import { passed, reasonOf, skipped, type Check, type Findings } from './check.ts'

const TIMEOUT_MS = 15_000

/** Options of the checks of receivers. */
export interface TargetOptions {
  readonly webhook: string | undefined
  /** A receiver on this machine. */
  readonly target: string | undefined
  readonly secret: string | undefined
}

/** Whether the endpoint of a webhook takes a test that Ariftly sends. */
export async function checkWebhook({ client, key, context }: Findings, { webhook }: TargetOptions): Promise<Check> {
  if (webhook === undefined) return skipped('webhook', 'Name one with --webhook.')
  if (client === undefined || key === undefined) return skipped('webhook', 'The key is not known.')
  try {
    const { status, error, error_detail, total_ms } = await client.webhooks.test(
      webhook,
      {},
      { signal: context.signal },
    )
    if (status !== null && status < 300)
      return passed('webhook', `Its endpoint answered ${status} within ${total_ms ?? '?'} ms.`)
    const detail = `Its endpoint answered ${status ?? 'nothing'} (${error ?? 'unknown'}). ${error_detail ?? ''}`.trim()
    const remedy = 'Answer a delivery with 2xx; ariftly webhooks test shows the whole attempt.'
    return { check: 'webhook', status: 'failed', detail, remedy }
  } catch (error) {
    context.signal.throwIfAborted()
    return {
      check: 'webhook',
      status: 'failed',
      detail: reasonOf(error),
      remedy: 'Check the id: ariftly webhooks list.',
    }
  }
}

/** Whether a receiver on this machine takes what is signed with the secret, and refuses what is signed with another one. */
export async function checkTarget({ context }: Findings, { target, secret }: TargetOptions): Promise<Check> {
  if (target === undefined || secret === undefined)
    return skipped('signature', 'Name a receiver with --target and --secret-file.')
  const url = URL.canParse(target) ? new URL(target) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || !isLoopback(url.hostname)) {
    const remedy = 'Name one such as http://localhost:3000/hook; for others use --webhook.'
    return { check: 'signature', status: 'failed', detail: `${target} is no address of this machine.`, remedy }
  }
  try {
    const good = await post(url, secret, context.signal)
    if (good >= 300) {
      const remedy = 'Check that the receiver has this secret, and verifies the bytes of the body as received.'
      return {
        check: 'signature',
        status: 'failed',
        detail: `It answered ${good} to a delivery that is signed as it should be.`,
        remedy,
      }
    }
    const bad = await post(url, 'another secret than the given one', context.signal)
    if (bad >= 300) return passed('signature', `It answered ${good} to the right signature, ${bad} to a wrong one.`)
    const remedy = 'Verify the signature: anyone who knows the address could send events. See docs/webhooks.md.'
    return { check: 'signature', status: 'failed', detail: `It answered ${bad} to a wrong signature.`, remedy }
  } catch (error) {
    context.signal.throwIfAborted()
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    return {
      check: 'signature',
      status: 'failed',
      detail: `It cannot be reached: ${reasonOf(cause)}`,
      remedy: 'Start the receiver.',
    }
  }
}

async function post(url: URL, secret: string, signal: AbortSignal): Promise<number> {
  const event = {
    object: 'event',
    id: 'evt_01h455vb4pex5vsknk084sn02q',
    type: 'task.progress',
    created_at: '2023-06-30T03:34:21.846Z',
    task_id: 'ariftly-doctor',
    agent: 'ariftly-doctor',
    session_id: null,
    data: { task_id: 'ariftly-doctor', message: 'A check of ariftly doctor' },
  }
  const body = JSON.stringify(event)
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: await sign({ body, secrets: secret }),
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  })
  await response.body?.cancel()
  return response.status
}
