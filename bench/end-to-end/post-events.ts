import { setTimeout as sleep } from 'node:timers/promises'

/** How events are posted. */
export interface Load {
  /** Events of one post. */
  readonly batch: number
  /** At this rate, whether posts are answered or not; undefined: eight clients post as fast as they are answered. */
  readonly eventsPerS?: number
  readonly forMs: number
}

/** What was posted. Its moments are those of `performance.now`. */
export interface Posted {
  readonly events: number
  readonly startedMs: number
  /** When each post was acknowledged, in the order of their events. */
  readonly acknowledgedMs: readonly number[]
}

/** Where events are posted to. */
interface PostTarget {
  readonly ingest: string
  readonly apiKey: string
}

const CLIENTS = 8

/** Posts events of 300 bytes, numbered from `first` on, and resolves when all are acknowledged. */
export async function postEvents(target: PostTarget, load: Load, first: number): Promise<Posted> {
  const { batch, eventsPerS, forMs } = load
  const acknowledgedMs: number[] = []
  const startedMs = performance.now()
  let posts = 0

  async function postNext(): Promise<void> {
    const number = posts
    posts += 1
    await post(target, first + number * batch, batch)
    acknowledgedMs[number] = performance.now()
  }

  async function postOn(): Promise<void> {
    while (performance.now() < startedMs + forMs) await postNext()
  }

  async function postPaced(everyMs: number): Promise<void> {
    const all: Promise<void>[] = []
    while (all.length < forMs / everyMs) {
      const waitMs = startedMs + all.length * everyMs - performance.now()
      if (waitMs > 0) await sleep(waitMs)
      all.push(postNext())
    }
    await Promise.all(all)
  }

  if (eventsPerS === undefined) await Promise.all(Array.from({ length: CLIENTS }, postOn))
  else await postPaced((batch / eventsPerS) * 1000)
  return { events: posts * batch, startedMs, acknowledgedMs }
}

async function post({ ingest, apiKey }: PostTarget, from: number, events: number): Promise<void> {
  const lines = Array.from({ length: events }, (_, index) => line(from + index))
  const response = await fetch(`${ingest}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  })
  const text = await response.text()
  if (response.status !== 202) throw new Error(`ingest answered ${response.status}: ${text.slice(0, 300)}`)
}

/** An event whose line has 300 bytes. */
function line(number: number): string {
  const head = `{"type":"task.progress","task_id":"task_${number % 200}","agent":"bench","data":{"n":${number},"message":"`
  return `${head}${'x'.repeat(300 - head.length - 3)}"}}`
}
