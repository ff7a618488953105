import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fetchKafkaTools } from '@ariftly/local-stack'

interface ConsumerPerformanceOptions {
  readonly broker: string
  readonly topic: string
  readonly records: number
  /** The processor that it runs on. */
  readonly cpu: number
  readonly say: (line: string) => void
}

/** Pause between two reports of the tool, ms. */
const REPORT_MS = 50

/**
 * Kafka's own tool reads a topic from its start; records a second from a twentieth of the records to its last report, so that
 * neither joining the group nor the start of the virtual machine counts.
 */
export async function consumerPerformance(o: ConsumerPerformanceOptions): Promise<number> {
  const jars = await fetchKafkaTools({ env: process.env, progress: o.say })
  const home = process.env['JAVA_HOME'] ?? ''
  const java = home === '' ? 'java' : join(home, 'bin/java')
  const args = ['--cpu-list', String(o.cpu), java, '-Xmx512m', '-cp', join(jars, '*')]
  args.push('org.apache.kafka.tools.ConsumerPerformance', '--bootstrap-server', o.broker, '--topic', o.topic)
  args.push('--num-records', String(o.records), '--timeout', '60000')
  args.push('--show-detailed-stats', '--reporting-interval', String(REPORT_MS))
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  const reports = reportsIn(output)
  const first = reports.find(({ records }) => records >= o.records / 20)
  const last = reports.at(-1)
  if (first === undefined || last === undefined || !(last.atMs > first.atMs)) {
    throw new Error(`ConsumerPerformance said: ${output} ${errors}`)
  }
  return ((last.records - first.records) / (last.atMs - first.atMs)) * 1000
}

/** The lines of the tool that begin with a time such as `2026-11-26 14:06:52:123`; the fifth column is the records read. */
function reportsIn(output: string): { readonly atMs: number; readonly records: number }[] {
  return output.split('\n').flatMap((line) => {
    const columns = line.split(',').map((column) => column.trim())
    const time = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d):(\d{3})$/.exec(columns[0] ?? '')
    return time === null ? [] : [{ atMs: Date.parse(`${time[1]}T${time[2]}.${time[3]}`), records: Number(columns[4]) }]
  })
}
