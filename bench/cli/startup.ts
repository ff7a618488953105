import { spawnSync } from 'node:child_process'
import { measurement, percentile, type Measurement } from '../support/report.ts'
import { bySize } from '../support/size.ts'

const RUNS = bySize({ full: 41, smallest: 3 })

/**
 * Milliseconds from the start of a process to its end, medians of runs that alternate: of `ariftly --version`, of `ariftly help --json`, which loads
 * all of it, and of a Node that does nothing.
 */
export function measureStartup(program: string): readonly Measurement[] {
  const lines = { version: [program, '--version'], help: [program, 'help', '--json'], node: ['-e', '0'] }
  const times: Record<keyof typeof lines, number[]> = { version: [], help: [], node: [] }
  for (let run = 0; run < RUNS; run += 1) {
    for (const name of ['node', 'version', 'help'] as const) times[name].push(timeOf(lines[name]))
  }
  const [version, help, node] = [times.version, times.help, times.node].map((values) => percentile(values, 0.5))
  return [
    measurement('startup_version', version ?? 0, 'ms'),
    measurement('startup_help', help ?? 0, 'ms'),
    measurement('startup_node', node ?? 0, 'ms'),
    measurement('startup_vs_node', (version ?? 0) / (node ?? 1), ''),
  ]
}

function timeOf(args: readonly string[]): number {
  const startedMs = performance.now()
  const { status } = spawnSync(process.execPath, args, { stdio: 'ignore' })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}`)
  return performance.now() - startedMs
}
