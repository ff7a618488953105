import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CliError } from '../errors/cli-error.ts'
import type { ForwardedEvent, Settled } from '../forward/outcome.ts'
import { makePrivateFolder, readPrivateFile, writePrivateFile } from '../settings/private-file.ts'

/** An entry of the list: an event that was given up. */
export interface FailedEvent {
  readonly id: string
  readonly type: string
  /** Order holds among events of one key. */
  readonly key: string
  readonly reason: string
  readonly attempts: number
  /** ISO 8601: when it was given up. */
  readonly at: string
  /** The event as the server sent it, JSON text: it is sent again byte for byte. */
  readonly body: string
}

/** Adds an event that was given up to the list, and resolves when it is on the disk. Throws a CliError `state_not_writable`. */
export async function addFailed(path: string, settled: Settled, nowMs: number): Promise<void> {
  const { id, type, key, body } = settled.event
  const { reason = '', attempts } = settled
  const at = new Date(nowMs).toISOString()
  const failed: FailedEvent = { id, type, key, reason, attempts, at, body: body.toString() }
  try {
    await makePrivateFolder(dirname(path))
    const file = await open(path, 'a', 0o600)
    try {
      // A process that was killed may have left half a line.
      await file.appendFile(`\n${JSON.stringify(failed)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new CliError('state_not_writable', `The list of failed events ${path} cannot be written.`, {
      remedy:
        'Free the disk, or correct the rights on the folder, and run the command again: it continues where it was.',
      cause: error,
    })
  }
}

/** The events that were given up, oldest first, each once. A line that was cut by a kill is left out: its event is received again. */
export async function readFailed(path: string): Promise<readonly FailedEvent[]> {
  const lines = ((await readPrivateFile(path)) ?? '').split('\n')
  const found = lines.flatMap((line) => readLine(line) ?? [])
  return [...new Map(found.map((each) => [each.id, each])).values()]
}

/** Puts a list in its place, whole. */
export async function writeFailed(path: string, list: readonly FailedEvent[]): Promise<void> {
  await writePrivateFile(path, list.map((each) => `${JSON.stringify(each)}\n`).join(''))
}

/** The event to forward again. */
export function toForwarded({ id, type, key, body }: FailedEvent): ForwardedEvent {
  return { id, type, key, body: Buffer.from(body) }
}

function readLine(line: string): FailedEvent | undefined {
  try {
    const value = JSON.parse(line) as Partial<FailedEvent> | null
    const members = [value?.id, value?.type, value?.key, value?.body]
    return members.every((member) => typeof member === 'string') ? (value as FailedEvent) : undefined
  } catch {
    return undefined
  }
}
