import { attackIngest } from './attack-ingest.ts'
import type { Attack } from './attack.ts'
import type { MadeUpKeysOrder } from './made-up-keys-attacker.ts'

/**
 * A stranger posts to ingest with 1,280 made-up keys a second, whose checksums are right, over 64 connections; the victim posts with a key that is
 * cached.
 */
export const madeUpKeys: Attack = {
  name: 'made_up_keys',
  run: (say) =>
    attackIngest({
      freshKeys: false,
      attacker: 'made-up-keys-attacker.ts',
      async begin(attacker, _victim, port) {
        const order: MadeUpKeysOrder = { port }
        const { statuses } = await attacker.ask<{ readonly statuses: readonly number[] }>(order)
        if (statuses.join() !== '401') throw new Error(`made-up keys were answered ${statuses.join()}`)
      },
      say,
    }),
}
