import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fetchKafkaTools } from '@ariftly/local-stack'

/** What {@link consumerPerformance} needs. */
export interface ConsumerPerformanceOptions {
  readonly broker: string
  readonly topic: string
  readonly records: number
  /** The processor that it runs on. */
  readonly cpu: number
  readonly say: (line: string) => void
}

/** Kafka's own tool reads a topic from its beginning; records a second of fetching, joining the group left out. */
export async function consumerPerformance(o: ConsumerPerformanceOptions): Promise<number> {
  const jars = await fetchKafkaTools({ env: process.env, progress: o.say })
  const home = process.env['JAVA_HOME'] ?? ''
  const java = home === '' ? 'java' : join(home, 'bin/java')
  const args = ['--cpu-list', String(o.cpu), java, '-Xmx512m', '-cp', join(jars, '*')]
  args.push('org.apache.kafka.tools.ConsumerPerformance', '--bootstrap-server', o.broker, '--topic', o.topic)
  args.push('--num-records', String(o.records), '--timeout', '60000')
  const child = spawn('taskset', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  const lines = output.slice(output.indexOf('start.time')).trim().split('\n')
  const names = (lines[0] ?? '').split(',').map((name) => name.trim())
  const values = (lines.at(-1) ?? '').split(',').map((value) => value.trim())
  const perS = Number(values[names.indexOf('fetch.nMsg.sec')])
  if (!(perS > 0)) throw new Error(`ConsumerPerformance said: ${output} ${errors}`)
  return perS
}
