import { compare, type Attack } from './attack.ts'
import { repeat, startStreamVictim } from './stream-victim.ts'

const AT_ONCE = 4
const PIECES = Array.from({ length: 3000 }, (_, n) => `${n}%`).join('&')

/** A caller without a key posts thousands of ill-formed parameters, ten times a second and more. */
export const streamParameters: Attack = {
  name: 'stream_parameters',
  async run(say) {
    const victim = await startStreamVictim()
    const url = `${victim.system.gateway.url}/v1/events/stream?token=x&${PIECES.slice(0, 8000)}`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const post = async () => {
      await (await fetch(url, { method: 'POST', headers, body: PIECES.slice(0, 16_000) })).arrayBuffer()
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    try {
      return await compare({
        measure: () => victim.measure(),
        async attack() {
          const ends = Array.from({ length: AT_ONCE }, () => repeat(post))
          return async () => void (await Promise.all(ends.map((end) => end())))
        },
        say,
      })
    } finally {
      await victim.close()
    }
  },
}
