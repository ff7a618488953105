import { EVENT, postEvents } from '../../test/isolation/ingest/attacks.ts'
import { makeUpKeys } from '../../test/isolation/ingest/made-up-keys.ts'
import { serveMessages } from '../ingest/worker.ts'

/** Posts with made-up keys to ingest for 4.5 s, longer than a window of the victim. */
export interface MadeUpKeysOrder {
  readonly port: number
}

/** As many as there are connections. */
const KEYS_PER_ROUND = 64
const ROUND_MS = 50
const ROUNDS = 90

if (process.send !== undefined) {
  // A refused key is not looked up again for a second: each is used once in an attack.
  const rounds = Array.from({ length: ROUNDS }, () => makeUpKeys(KEYS_PER_ROUND))
  serveMessages(async (message) => {
    const { port } = message as MadeUpKeysOrder
    const statuses = new Set<number>()
    for (const keys of rounds) {
      const pause = new Promise((resolve) => setTimeout(resolve, ROUND_MS))
      const answers = await Promise.all(keys.map((key) => postEvents({ port, key }, EVENT)))
      for (const { status } of answers) statuses.add(status)
      await pause
    }
    return { statuses: [...statuses] }
  })
}
