import { join } from 'node:path'
import { compileJava } from '../support/java.ts'

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
 * Compiles `java/AsyncapiReader.java` and runs it to read the log by an AsyncAPI document alone.
 * @param file the document.
 * @throws Error with what the compiler or the program said when one fails.
 */
export async function runJavaReader(file: string, operation: string): Promise<readonly ReadByJava[]> {
  const program = await compileJava(SOURCE)
  const output = await program.run(file, operation)
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ReadByJava)
}
