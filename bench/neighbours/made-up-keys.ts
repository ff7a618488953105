import { join } from 'node:path'
import { startWorker } from '../ingest/worker.ts'
import { compare, type Attack } from './attack.ts'
import { startIngestVictim } from './ingest-victim.ts'
import type { MadeUpKeysOrder } from './made-up-keys-attacker.ts'

/** The attack is under way when the victim is measured. */
const LEAD_MS = 500

/**
 * Someone without a key posts to ingest with 1,280 made-up keys a second, whose checksums are right, over 64 connections; the victim posts with a key that is
 * cached. The control is the same attack on another ingest process of the machine.
 */
export const madeUpKeys: Attack = {
  name: 'made_up_keys',
  async run(say) {
    const victim = await startIngestVictim({ freshKeys: false })
    const attacker = await startWorker(join(import.meta.dirname, 'made-up-keys-attacker.ts'))
    try {
      return await compare({
        measure: () => victim.measure(),
        control: () => begin(victim.otherPort),
        attack: () => begin(victim.port),
        say,
      })
    } finally {
      await attacker.close()
      await victim.close()
    }

    async function begin(port: number): Promise<() => Promise<void>> {
      const order: MadeUpKeysOrder = { port }
      const ended = attacker.ask<{ readonly statuses: readonly number[] }>(order)
      await new Promise((resolve) => setTimeout(resolve, LEAD_MS))
      return async () => {
        const { statuses } = await ended
        if (statuses.join() !== '401') throw new Error(`made-up keys were answered ${statuses.join()}`)
      }
    }
  },
}
