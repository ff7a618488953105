import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { takeLock } from './lock.ts'
import type { PartContext } from './part-context.ts'
import { startPart, type PartSpec } from './part.ts'

/**
 * The JVM's archive of the classes that a broker loads (JEP 350), made once for each version of Java by starting a broker and stopping
 * it again. With it a start takes half of the processor time.
 * @param file where the archive is kept; it appears there atomically.
 * @param describe says how to run that broker in `work`, with a JVM flag.
 * @returns undefined when this Java cannot make one, which costs only time.
 */
export async function ensureClassArchive(
  file: string,
  context: PartContext,
  describe: (work: PartContext, flag: string) => PartSpec,
): Promise<string | undefined> {
  if (existsSync(file)) return file
  const failed = `${file}.none`
  if (existsSync(failed)) return undefined
  const held = await takeLock(file)
  try {
    if (!existsSync(file)) await makeArchive(file, context, describe)
    if (existsSync(file)) return file
    writeFileSync(failed, '')
    return undefined
  } finally {
    await held.release()
  }
}

async function makeArchive(
  file: string,
  context: PartContext,
  describe: (work: PartContext, flag: string) => PartSpec,
): Promise<void> {
  context.progress('Preparing Kafka (once)')
  const dir = mkdtempSync(`${file}.`)
  try {
    const work = { ...context, dir, ephemeral: true, port: undefined, tls: undefined, remove: { remove: dir } }
    const part = await startPart(describe(work, `-XX:ArchiveClassesAtExit=${dir}/archive`))
    await part.stop()
    if (existsSync(`${dir}/archive`)) renameSync(`${dir}/archive`, file)
  } finally {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}
