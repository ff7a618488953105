import { setTimeout as sleep } from 'node:timers/promises'

/** Posts events at a constant rate until it is stopped. */
export interface SteadyLoad {
  /** Ids of the events that were answered `accepted`, in order. */
  readonly accepted: readonly string[]
  /** What was refused or failed, in words. */
  readonly refused: readonly string[]
  stop(): Promise<void>
}

const BATCH = 10
const EVERY_MS = 40

interface Answer {
  readonly data: readonly { readonly id: string; readonly status: string }[]
}

/** Starts to post small batches over a few tasks, one after another. */
export function startSteadyLoad(url: string, apiKey: string): SteadyLoad {
  const accepted: string[] = []
  const refused: string[] = []
  const ending = new AbortController()
  let posted = 0

  async function postOne(): Promise<void> {
    const events = Array.from({ length: BATCH }, () => {
      const n = posted++
      return { type: 'task.progress', task_id: `task_${n % 7}`, data: { message: 'load', n } }
    })
    const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
    const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) })
    const text = await answer.text()
    if (answer.status !== 202) refused.push(`${answer.status} ${text}`)
    else accepted.push(...(JSON.parse(text) as Answer).data.map(({ id }) => id))
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      await postOne().catch((error: unknown) => refused.push(String(error)))
      await sleep(EVERY_MS)
    }
  }

  const running = run()
  return {
    accepted,
    refused,
    stop: async () => {
      ending.abort()
      await running
    },
  }
}
