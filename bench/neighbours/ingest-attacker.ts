import { ATTACKS } from '../../test/isolation/ingest/attacks.ts'
import { serveMessages } from '../ingest/worker.ts'

/** Runs one attack on ingest for `ms`. */
export interface AttackOrder {
  readonly attack: keyof typeof ATTACKS
  readonly port: number
  /** Keys of the attacker's tenants. */
  readonly keys: readonly string[]
  readonly ms: number
}

if (process.send !== undefined) {
  serveMessages(async (message) => {
    const { attack, port, keys, ms } = message as AttackOrder
    await ATTACKS[attack].run({ port, keys }, AbortSignal.timeout(ms))
    return {}
  })
}
