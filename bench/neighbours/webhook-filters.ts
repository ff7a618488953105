import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { compare, type Attack } from './attack.ts'
import { noneLeft, startWebhookVictim, type WebhookVictim } from './webhook-victim.ts'

const FILTER = '{"data.nope":1}'
const EVENTS_PER_POST = 10
/** 240 KB of 80,000 empty arrays: to parse them takes some 10 ms of a thread. */
const EMPTY_ARRAYS = 80_000
const POST_EVERY_MS = 500
const POSTS_UNDER_WAY_MAX = 4
/** Nothing is ever sent there. */
const URL = 'http://127.0.0.1:9/'

/**
 * A tenant posts 20 events a second of 240 KB each that are costly to parse, for a webhook whose payload filter never fits. The control: the
 * same events, and its webhook wants another type.
 */
export const webhookFilters: Attack = {
  name: 'webhook_filters',
  async run(say) {
    const victim = await startWebhookVictim()
    const { system } = victim
    try {
      await system.subscribe({ tenant: 'rude', agent: 'costly', url: URL, events: ['*'], filter: FILTER })
      await system.subscribe({ tenant: 'rude', agent: 'other', url: URL, events: ['session.message'], filter: FILTER })
      await system.enable(['costly', 'other'], false)
      return await compare({
        measure: () => victim.measure(),
        attack: () => begin(victim, 'costly'),
        control: () => begin(victim, 'other'),
        say,
      })
    } finally {
      await victim.close()
    }
  },
}

/** Posts until it is ended; the webhook for this agent is enabled meanwhile. */
async function begin({ system }: WebhookVictim, agent: string): Promise<() => Promise<void>> {
  await system.enable([agent], true)
  const body = gzipSync(`${line()}\n`.repeat(EVENTS_PER_POST))
  const ending = new AbortController()
  const posting = post()

  async function post(): Promise<void> {
    const underWay = new Set<Promise<void>>()
    while (!ending.signal.aborted) {
      if (underWay.size < POSTS_UNDER_WAY_MAX) {
        const posted: Promise<void> = system
          .postGzipped('rude', body, EVENTS_PER_POST)
          .then(() => void underWay.delete(posted))
        underWay.add(posted)
      }
      await sleep(POST_EVERY_MS)
    }
    await Promise.all(underWay)
  }

  return async function end() {
    ending.abort()
    await posting
    await system.enable([agent], false)
    await system.awaitAllProjected()
    await noneLeft(system, 'SELECT FROM match_backlogs LIMIT 1')
  }
}

function line(): string {
  return `{"type":"task.progress","task_id":"t","agent":"costly","data":{"message":"m","a":[${'[],'.repeat(EMPTY_ARRAYS)}[]]}}`
}
