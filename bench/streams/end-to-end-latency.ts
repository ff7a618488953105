import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fetchKafkaTools } from '@ariftly/local-stack'

/** Kafka's own tool: from produce to consume of one record at a time, with acks=all. Milliseconds. */
export async function endToEndLatency(o: {
  readonly broker: string
  readonly topic: string
  readonly records: number
  readonly bytes: number
  readonly say: (line: string) => void
}): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const jars = await fetchKafkaTools({ env: process.env, progress: o.say })
  const home = process.env['JAVA_HOME'] ?? ''
  const java = home === '' ? 'java' : join(home, 'bin/java')
  const args = ['-Xmx256m', '-cp', join(jars, '*'), 'org.apache.kafka.tools.EndToEndLatency']
  args.push('--bootstrap-server', o.broker, '--topic', o.topic, '--num-records', String(o.records))
  args.push('--producer-acks', 'all', '--record-size', String(o.bytes))
  const child = spawn(java, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  const last = /Percentiles: 50th = (\d+), 99th = (\d+)/.exec(output)
  if (last === null) throw new Error(`EndToEndLatency said: ${output} ${errors}`)
  return { p50Ms: Number(last[1]), p99Ms: Number(last[2]) }
}
