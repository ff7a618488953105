import { measureFlows } from './cli/flows.ts'
import { packCli } from './cli/pack-cli.ts'
import { measureStartup } from './cli/startup.ts'
import { measurement, type Bench } from './support/report.ts'

/** The command line: size of its file, start-up time against an empty Node script, and event throughput. */
export const cli: Bench = async (say) => {
  const { program, bytes } = packCli()
  const startup = measureStartup(program)
  say(startup.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', '))
  const flows = await measureFlows(program, say)
  return [measurement('bundle', bytes / 1024, 'KiB'), ...startup, ...flows]
}
