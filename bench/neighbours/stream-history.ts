import { connect } from 'node:net'
import { DEADLINES, eventually } from '@ariftly/testkit'
import { compare, type Attack } from './attack.ts'
import { startStreamVictim, type StreamVictim } from './stream-victim.ts'
import { bySize } from '../support/size.ts'

const LARGE = bySize({ full: 100_000, smallest: 5_000 })
/** Well below what one produce request may hold. */
const BATCH = 500
const STREAMS = bySize({ full: 200, smallest: 20 })
const RESUMES = bySize({ full: 30, smallest: 3 })

/**
 * A tenant opens 200 streams from the start of a task with 100,000 events; the victim resumes its own streams from before the
 * ring: from its request to its first event.
 */
export const streamHistory: Attack = {
  name: 'stream_history',
  async run(say) {
    const victim = await startStreamVictim({ RING_BYTES_MAX: String(1024 * 1024) })
    const after = new Date(Date.now() - 3_600_000).toISOString()
    try {
      await victim.measure()
      for (let at = 0; at < LARGE; at += BATCH) {
        await victim.rudeFeed.send(Array.from({ length: BATCH }, (_, n) => ({ number: at + n, taskId: 'large' })))
      }
      await eventually('the history is projected', async () => (await victim.system.projected()) >= LARGE, {
        timeoutMs: DEADLINES.load,
        everyMs: 200,
      })
      return await compare({
        measure: () => resumes(victim, after),
        async attack() {
          const path = `/v1/events/stream?task_id=large&after=${after}`
          const sockets = await Promise.all(
            Array.from({ length: STREAMS }, async () => (await victim.open(path, victim.rudeKey)).resume()),
          )
          return async () => {
            for (const socket of sockets) socket.destroy()
          }
        },
        say,
      })
    } finally {
      await victim.close()
    }
  },
}

async function resumes(victim: StreamVictim, after: string): Promise<readonly number[]> {
  const waits: number[] = []
  for (let n = 0; n < RESUMES; n += 1) waits.push(await firstEventMs(victim, after))
  return waits
}

async function firstEventMs({ system }: StreamVictim, after: string): Promise<number> {
  const startedMs = performance.now()
  const socket = connect({ host: '127.0.0.1', port: system.gateway.port })
  const head = `Host: a\r\nAuthorization: Bearer ${system.apiKey}`
  socket.write(`GET /v1/events/stream?task_id=calm&after=${after} HTTP/1.1\r\n${head}\r\n\r\n`)
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => chunk.includes('task.progress') && resolve())
  })
  socket.destroy()
  return performance.now() - startedMs
}
