import { setTimeout as delay } from 'node:timers/promises'
import { NotFoundError, type Ariftly, type QueriedEvent } from '@ariftly/sdk'
import { AnswerText } from '../command/answer-text.ts'
import type { Command } from '../command/command.ts'
import { IDS } from '../commands/resources/ids.ts'
import { WEBHOOK } from '../commands/resources/options.ts'
import { CliError } from '../errors/cli-error.ts'
import { untilAnswered } from '../stream/until-answered.ts'
import { show } from '../terminal/show.ts'

/** Between two requests, milliseconds. */
const WAIT_MS = { first: 100, max: 2000 } as const

/** `ariftly wait`. */
export const wait: Command = {
  name: 'wait',
  summary: 'Wait until an event can be queried, or until it is delivered.',
  description:
    'With --delivered it ends when the event has a delivery and all its deliveries are delivered; a failed one ends it with exit code 1.',
  args: [IDS.event],
  options: [
    { name: 'delivered', summary: 'wait for its deliveries' },
    { ...WEBHOOK, summary: 'check the deliveries of this webhook alone' },
    { name: 'timeout', shown: 'time', kind: 'duration', min: 1, summary: 'exit code 1 after this time; default 60s' },
  ],
  example: 'ariftly wait evt_01h455vb4pex5vsknk084sn02q --delivered --timeout 60s',
  output: 'api:Event',
  async run(context, input) {
    const id = input.required('id')
    const answer = new AnswerText(context)
    const client = await context.client({ fetch: answer.fetch })
    const timeoutMs = input.number('timeout') ?? 60_000
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = AbortSignal.any([context.signal, timeout])
    const webhook = input.text('webhook')
    const isDelivered = input.flag('delivered') || webhook !== undefined
    const onWait = (error: Error) => void context.note(show`Waiting: ${error.message}`)
    let last = 'it cannot be queried yet'
    try {
      for (let waitMs: number = WAIT_MS.first; ; waitMs = Math.min(WAIT_MS.max, waitMs * 1.5)) {
        const event = await untilAnswered(async () => await getEvent(client, id, isDelivered, signal), {
          signal,
          onWait,
        })
        const state = event === undefined ? last : isDelivered ? stateOf(event, webhook) : undefined
        if (event !== undefined && state === undefined) {
          await context.out.jsonText(answer.text)
          return
        }
        last = state ?? last
        await delay(waitMs, undefined, { signal })
      }
    } catch (error) {
      if (!timeout.aborted || context.signal.aborted) throw error
      throw new CliError('wait_timeout', `${id} after ${timeoutMs} ms: ${last}.`, {
        remedy: isDelivered
          ? 'Give it longer with --timeout, or send a pending delivery now: ariftly deliveries redeliver <id>'
          : 'Give it longer with --timeout.',
      })
    }
  },
}

/** Undefined while the projection does not have it. */
async function getEvent(
  client: Ariftly,
  id: string,
  isDelivered: boolean,
  signal: AbortSignal,
): Promise<QueriedEvent | undefined> {
  const query = isDelivered ? { include: ['deliveries'] as const } : {}
  return await client.events.get(id, query, { signal, maxRetries: 0 }).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined
    throw error
  })
}

/** What is waited for; undefined when all is delivered. Throws a CliError `delivery_failed`. */
function stateOf({ deliveries = [] }: QueriedEvent, webhook: string | undefined): string | undefined {
  const wanted = deliveries.filter(({ webhook_id }) => webhook === undefined || webhook_id === webhook)
  const failed = wanted.find(({ status }) => status === 'failed' || status === 'cancelled')
  if (failed !== undefined) {
    throw new CliError('delivery_failed', `The delivery ${failed.id} to ${failed.webhook_id} is ${failed.status}.`, {
      remedy: `ariftly deliveries get ${failed.id} shows its attempts, ariftly deliveries redeliver ${failed.id} sends it again.`,
    })
  }
  const pending = wanted.filter(({ status }) => status === 'pending')
  if (wanted.length === 0) return 'it has no delivery'
  return pending.length === 0 ? undefined : `${pending.length} of its ${wanted.length} deliveries are pending`
}
