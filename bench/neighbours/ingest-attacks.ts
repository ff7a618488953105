import { join } from 'node:path'
import { ATTACKS } from '../../test/isolation/ingest/attacks.ts'
import { startWorker } from '../ingest/worker.ts'
import { compare, type Attack } from './attack.ts'
import type { AttackOrder } from './ingest-attacker.ts'
import { startIngestVictim } from './ingest-victim.ts'
import { bySize } from '../support/size.ts'

/** Longer than a window of the victim. */
const ATTACK_MS = bySize({ full: 5_000, smallest: 1_000 })
/** The attack is under way when the victim is measured. */
const LEAD_MS = 500

/**
 * The attacks of the isolation tests of ingest, each as `ingest_<name>`. The control is the same attack on another ingest process of the machine: what the
 * attacker and ingest take of the processors that all share.
 */
export const INGEST_ATTACKS: readonly Attack[] = (Object.keys(ATTACKS) as (keyof typeof ATTACKS)[]).map((attack) => ({
  name: `ingest_${ATTACKS[attack].name}`,
  async run(say) {
    const victim = await startIngestVictim({ freshKeys: attack === 'randomKeys' })
    // A process of its own, as rendering and sending bodies of 5 MiB would delay the victim's clock.
    const attacker = await startWorker(join(import.meta.dirname, 'ingest-attacker.ts'))
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
      const order: AttackOrder = { attack, port, keys: victim.attackers, ms: ATTACK_MS }
      const ended = attacker.ask(order)
      await new Promise((resolve) => setTimeout(resolve, LEAD_MS))
      return async () => void (await ended)
    }
  },
}))
