import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { fetchJavaReader } from '@ariftly/local-stack'

const execute = promisify(execFile)
const SOURCE = join(import.meta.dirname, 'java/AsyncapiReader.java')

/** What the Java program makes of a record: an event as the API shows it (but `data` as text), or why it is none. */
export interface ReadByJava {
  readonly partition: number
  readonly offset: number
  readonly skipped?: string
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly created_at: string
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  readonly data: string
}

/**
 * Compiles `java/AsyncapiReader.java` and lets it read the log by an AsyncAPI document alone.
 * @param file the document.
 * @throws Error with what the compiler or the program said when one fails.
 */
export async function runJavaReader(file: string, operation: string): Promise<readonly ReadByJava[]> {
  const folder = await fetchJavaReader({ env: process.env, progress: () => {} })
  const jars = readdirSync(folder)
    .map((jar) => join(folder, jar))
    .join(delimiter)
  const classes = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'java-'))
  try {
    await java('-cp', jars, 'org.eclipse.jdt.internal.compiler.batch.Main', '-17', '-cp', jars, '-d', classes, SOURCE)
    const output = await java('-cp', jars + delimiter + classes, 'AsyncapiReader', file, operation)
    return output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ReadByJava)
  } finally {
    rmSync(classes, { recursive: true, force: true })
  }
}

async function java(...args: readonly string[]): Promise<string> {
  const home = process.env['JAVA_HOME'] ?? ''
  const program = home === '' ? 'java' : join(home, 'bin/java')
  const flags = ['-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']
  const { stdout } = await execute(program, [...flags, ...args], { maxBuffer: 16 * 1024 * 1024, timeout: 60_000 })
  return stdout
}
