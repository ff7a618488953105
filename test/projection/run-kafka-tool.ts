import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fetchKafkaTools } from '@ariftly/local-stack'

/**
 * Runs one of Kafka's own command line tools (a class of `org.apache.kafka.tools`), with `input` on its standard input, and
 * gives its standard output.
 * @throws Error when it ends with another code than 0, with what it said.
 */
export async function runKafkaTool(name: string, args: readonly string[], input = ''): Promise<string> {
  const jars = await fetchKafkaTools({ env: process.env, progress: () => {} })
  const home = process.env['JAVA_HOME'] ?? ''
  const java = home === '' ? 'java' : join(home, 'bin/java')
  const all = ['-XX:TieredStopAtLevel=1', '-cp', join(jars, '*'), `org.apache.kafka.tools.${name}`, ...args]
  return new Promise((resolve, reject) => {
    const child = execFile(java, all, { maxBuffer: 16 * 1024 * 1024 }, (error, output, complaints) => {
      if (error) reject(new Error(`${error.message} ${complaints}`))
      else resolve(output)
    })
    child.stdin?.end(input)
  })
}
