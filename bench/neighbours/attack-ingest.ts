import { join } from 'node:path'
import { startWorker, type Worker } from '../ingest/worker.ts'
import { compare, type Beside } from './attack.ts'
import { startIngestVictim, type IngestVictim } from './ingest-victim.ts'

/** The attack is under way when the victim is measured. */
const LEAD_MS = 500

/**
 * Measures the victim during an attack on its ingest process. The control is the same attack on another ingest process of the
 * machine: the processor time that attacker and ingest take from all.
 */
export async function attackIngest(o: {
  readonly freshKeys: boolean
  /** File of the attacker in this folder: a process of its own, as what it renders and sends would delay the victim's clock. */
  readonly attacker: string
  /** Begins the attack on the ingest at `port`; the promise settles when it has ended. */
  readonly begin: (attacker: Worker, victim: IngestVictim, port: number) => Promise<void>
  readonly say: (line: string) => void
}): Promise<Beside> {
  const victim = await startIngestVictim({ freshKeys: o.freshKeys })
  const attacker = await startWorker(join(import.meta.dirname, o.attacker))
  try {
    return await compare({
      measure: () => victim.measure(),
      control: () => begin(victim.otherPort),
      attack: () => begin(victim.port),
      say: o.say,
    })
  } finally {
    await attacker.close()
    await victim.close()
  }

  async function begin(port: number): Promise<() => Promise<void>> {
    const ended = o.begin(attacker, victim, port)
    await new Promise((resolve) => setTimeout(resolve, LEAD_MS))
    return () => ended
  }
}
