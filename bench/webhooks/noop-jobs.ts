import { EventEmitter, once } from 'node:events'
import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { serveMessages } from '../ingest/worker.ts'

/** What the process is asked: so many jobs that do nothing, at this concurrency. */
export interface NoopRequest {
  readonly redisUrl: string
  readonly jobs: number
  readonly concurrency: number
}

const JOBS_PER_ADD = 500

/** Adds no-op jobs to a bare BullMQ queue and works them off at the same time, in one process; answers jobs a second. */
serveMessages(async (message) => {
  const { redisUrl, jobs, concurrency } = message as NoopRequest
  const [producer, consumer] = [new Redis(redisUrl), new Redis(redisUrl, { maxRetriesPerRequest: null })]
  const queue = new Queue('noop', { connection: producer, prefix: 'bench' })
  let done = 0
  const finished = new EventEmitter()
  const end = once(finished, 'end')
  const worker = new Worker(
    'noop',
    async () => {
      done += 1
      if (done === jobs) finished.emit('end')
    },
    { connection: consumer, prefix: 'bench', concurrency, removeOnComplete: { count: 0 } },
  )
  await worker.waitUntilReady()
  const startedMs = performance.now()
  for (let from = 0; from < jobs; from += JOBS_PER_ADD) {
    const part = Array.from({ length: Math.min(JOBS_PER_ADD, jobs - from) }, (_, index) => from + index)
    await queue.addBulk(part.map((n) => ({ name: 'd', data: { n } })))
  }
  await end
  const perS = (jobs / (performance.now() - startedMs)) * 1000
  await worker.close()
  await queue.close()
  producer.disconnect()
  consumer.disconnect()
  return perS
})
