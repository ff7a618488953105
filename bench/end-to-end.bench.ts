import { measureMainJob } from './end-to-end/main-job.ts'
import { startBenchSystem } from './support/system.ts'
import type { Bench } from './support/report.ts'

/** The main job with each of the five services as a process of its own. */
export const endToEnd: Bench = async (say) => {
  const system = await startBenchSystem()
  try {
    return await measureMainJob(system, say)
  } finally {
    await system.close()
  }
}
