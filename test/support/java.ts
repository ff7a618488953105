import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { basename, delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { fetchJavaReader } from '@ariftly/local-stack'
import { testFolder } from '@ariftly/testkit'

const execute = promisify(execFile)
/** A short life: no optimizing compiler, no threads that collect garbage, no shared performance data. */
const FLAGS = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:-UsePerfData']

/** A compiled Java program. */
export interface JavaProgram {
  /**
   * Runs it to its end and gives its standard output.
   * @throws Error with what the program wrote when it fails or takes longer than a minute.
   */
  run(...args: readonly string[]): Promise<string>
  /** Starts it; its environment is `env` alone. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess
}

/**
 * Compiles one Java file with Kafka's client, the CloudEvents SDK and Jackson on its class path.
 * @throws Error with what the compiler wrote when it fails.
 */
export async function compileJava(source: string): Promise<JavaProgram> {
  const folder = await fetchJavaReader({ env: process.env, progress: () => {} })
  const jars = readdirSync(folder)
    .map((jar) => join(folder, jar))
    .join(delimiter)
  const classes = testFolder('java')
  await java(['-cp', jars, 'org.eclipse.jdt.internal.compiler.batch.Main', '-17', '-cp', jars, '-d', classes, source])
  const program = ['-cp', jars + delimiter + classes, basename(source, '.java')]
  return {
    run: async (...args) => await java([...program, ...args]),
    start: (args, env = {}) =>
      spawn(binary(), [...FLAGS, ...program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] }),
  }
}

async function java(args: readonly string[]): Promise<string> {
  const { stdout } = await execute(binary(), [...FLAGS, ...args], { maxBuffer: 16 * 1024 * 1024, timeout: 60_000 })
  return stdout
}

function binary(): string {
  const home = process.env['JAVA_HOME'] ?? ''
  return home === '' ? 'java' : join(home, 'bin/java')
}
