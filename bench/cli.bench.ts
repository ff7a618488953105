import { packCli } from './cli/pack-cli.ts'
import { measureStartup } from './cli/startup.ts'
import { loadAverage } from './support/process-usage.ts'
import { measurement, type Bench } from './support/report.ts'

/** The command line: the size of its one file, and how long it takes to start beside a Node that does nothing. */
export const cli: Bench = async (say) => {
  const { program, bytes } = packCli()
  const startup = measureStartup(program)
  say(startup.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', '))
  return [measurement('bundle', bytes / 1024, 'KiB'), ...startup, measurement('load_average', loadAverage(), '')]
}
