import { ATTACKS } from '../../test/isolation/ingest/attacks.ts'
import { bySize } from '../support/size.ts'
import { attackIngest } from './attack-ingest.ts'
import type { Attack } from './attack.ts'
import type { AttackOrder } from './ingest-attacker.ts'

/** Longer than a window of the victim. */
const ATTACK_MS = bySize({ full: 5_000, smallest: 1_000 })

/** The attacks of the isolation tests of ingest, each as `ingest_<name>`. */
export const INGEST_ATTACKS: readonly Attack[] = (Object.keys(ATTACKS) as (keyof typeof ATTACKS)[]).map((attack) => ({
  name: `ingest_${ATTACKS[attack].name}`,
  run: (say) =>
    attackIngest({
      freshKeys: attack === 'randomKeys',
      attacker: 'ingest-attacker.ts',
      async begin(attacker, victim, port) {
        const order: AttackOrder = { attack, port, keys: victim.attackers, ms: ATTACK_MS }
        await attacker.ask(order)
      },
      say,
    }),
}))
