import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fetchKafkaTools } from '@ariftly/local-stack'
import { pin } from './worker.ts'

/** Kafka's own load tool, on its defaults with acks=all. */
export interface ProducerPerformance {
  /** Sends so many records of so many bytes; answers with records per second as the tool says. */
  run(order: {
    readonly broker: string
    readonly topic: string
    readonly bytes: number
    readonly records: number
  }): Promise<number>
}

/** Finds (and the first time fetches) the tool; it runs on the processor `cpu`. */
export async function findProducerPerformance(say: (line: string) => void, cpu: number): Promise<ProducerPerformance> {
  const jars = await fetchKafkaTools({ env: process.env, progress: say })
  const home = process.env['JAVA_HOME'] ?? ''
  const java = home === '' ? 'java' : join(home, 'bin/java')

  async function run(order: { broker: string; topic: string; bytes: number; records: number }): Promise<number> {
    const args = ['-Xmx512m', '-cp', join(jars, '*'), 'org.apache.kafka.tools.ProducerPerformance']
    args.push('--topic', order.topic, '--num-records', String(order.records), '--record-size', String(order.bytes))
    args.push('--throughput', '-1', '--producer-props', `bootstrap.servers=${order.broker}`, 'acks=all')
    const child = spawn(java, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    if (child.pid !== undefined) pin(child.pid, cpu)
    const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
    const last = /.*, ([\d.]+) records\/sec[^]*?$/.exec(output.trimEnd().split('\n').at(-1) ?? '')
    if (last === null) throw new Error(`ProducerPerformance said: ${output}`)
    return Number(last[1])
  }

  return { run }
}
