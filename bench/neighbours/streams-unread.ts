import { compare, type Attack } from './attack.ts'
import { repeat, startStreamVictim } from './stream-victim.ts'
import { bySize } from '../support/size.ts'

const STREAMS = bySize({ full: 200, smallest: 20 })
const TYPES = [
  'task.created',
  'task.complete',
  'task.failed',
  'tool_call.executed',
  'session.closed',
  'session.message',
]

/**
 * A tenant opens 200 streams, each with its own filter, reads none of them, and posts bursts that match all. The control is the
 * bursts alone: the load of Kafka, the projector and the posting process.
 */
export const streamsUnread: Attack = {
  name: 'streams_unread',
  async run(say) {
    const victim = await startStreamVictim()
    const postBursts = () =>
      repeat(async () => {
        await victim.rudeFeed.send(Array.from({ length: 100 }, (_, n) => ({ number: n, taskId: `rude_${n % 5}` })))
        await new Promise((resolve) => setTimeout(resolve, 200))
      })
    try {
      return await compare({
        measure: () => victim.measure(),
        control: async () => postBursts(),
        async attack() {
          const sockets = await Promise.all(
            Array.from({ length: STREAMS }, async (_, n) => {
              const types = ['task.progress', ...TYPES.filter((_type, bit) => ((n >> 1) & (1 << bit)) !== 0)]
              const path = `/v1/events/stream?types=${types.join(',')}&envelope=${n % 2 === 0 ? 'true' : 'false'}`
              return (await victim.open(path, victim.rudeKey)).pause()
            }),
          )
          const end = postBursts()
          return async () => {
            await end()
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
