import { measureMainJob } from './end-to-end/main-job.ts'
import { startBenchHouse } from './support/house.ts'
import type { Bench } from './support/report.ts'

/** The main job with each of the five services as a process of its own. */
export const endToEnd: Bench = async (say) => {
  const house = await startBenchHouse()
  try {
    return await measureMainJob(house, say)
  } finally {
    await house.close()
  }
}
