import { medians, type Measurement } from '../support/report.ts'
import { bySize } from '../support/size.ts'
import { openMainJob, type MainJobSystem } from './measure-load.ts'

const ROUNDS = bySize({ full: 3, smallest: 1 })
const FULL = { batch: 100, stream: true } as const
const WARM_UP_MS = bySize({ full: 1_000, smallest: 200 })
const FULL_MS = bySize({ full: 4_000, smallest: 200 })
const PACED_MS = bySize({ full: 5_000, smallest: 500 })

/**
 * The main job: POST in batches of 100 events of 300 B, until acknowledged, in Postgres and out of a stream. Throughput
 * is measured with eight clients that post as fast as they are answered; the time from acknowledgement to stream at a
 * steady 1,000 events a second. Medians of three rounds.
 */
export async function measureMainJob(
  system: MainJobSystem,
  say: (line: string) => void,
): Promise<readonly Measurement[]> {
  const job = openMainJob(system)
  try {
    await job.measure({ ...FULL, forMs: WARM_UP_MS })
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      const full = await job.measure({ ...FULL, forMs: FULL_MS })
      const paced = await job.measure({ ...FULL, eventsPerS: 1_000, forMs: PACED_MS })
      const measured = [
        ...full.filter(({ name }) => name.endsWith('_per_s')),
        ...paced.filter(({ name }) => name.startsWith('ack_to_stream')),
      ]
      rounds.push(measured)
      say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(1)}`).join(', ')}`)
    }
    return medians(rounds)
  } finally {
    await job.close()
  }
}
