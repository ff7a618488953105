import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { CliError } from '../errors/cli-error.ts'

/** How far a file was sent. */
export interface SendState {
  readonly version: 1
  readonly server: string
  readonly tenant: string
  /** SHA-256 of the file, hex. */
  readonly digest: string
  /** Unix milliseconds of the first run: that of the ids. */
  readonly startedMs: number
  /** Every line up to this one is accepted or refused. */
  readonly line: number
  readonly accepted: number
  readonly refused: number
  /** The file of refused lines, whole path; null for none. */
  readonly rejects: string | null
  /** Bytes of it that belong to these lines. */
  readonly rejectsBytes: number
  /** ISO 8601: when all was sent; null before. */
  readonly doneAt: string | null
}

/** What a state is about: the same file, sent to the same tenant. */
export type SendScope = Pick<SendState, 'server' | 'tenant' | 'digest'>

/** Its name in the folder of states. */
export function sendStateName({ server, tenant, digest }: SendScope): string {
  return createHash('sha256').update(`${server}\0${tenant}\0${digest}`).digest('hex').slice(0, 32)
}

/** The state of a first run. */
export function newSendState(scope: SendScope, startedMs: number): SendState {
  const counts = { line: 0, accepted: 0, refused: 0 }
  return { version: 1, ...scope, startedMs, ...counts, rejects: null, rejectsBytes: 0, doneAt: null }
}

/** Reads a state; undefined when it is none. */
export function parseSendState(value: Readonly<Record<string, unknown>>): SendState | undefined {
  const { version, server, tenant, digest, startedMs, line, accepted, refused, rejects, rejectsBytes, doneAt } = value
  const isText = [server, tenant, digest].every((member) => typeof member === 'string')
  const counts = [startedMs, line, accepted, refused, rejectsBytes]
  const isCounted = counts.every((member) => Number.isSafeInteger(member) && Number(member) >= 0)
  const isTextOrNull = [rejects, doneAt].every((member) => member === null || typeof member === 'string')
  return version === 1 && isText && isCounted && isTextOrNull ? (value as unknown as SendState) : undefined
}

/** SHA-256 of a file, hex. Throws a CliError for what is no file that can be read twice. */
export async function digestOf(path: string): Promise<string> {
  try {
    if (!(await stat(path)).isFile()) {
      throw new CliError('not_a_file', `${path} is no regular file.`, {
        pointer: '--file',
        remedy: 'Give it on standard input: it is then read once, and nothing is kept.',
      })
    }
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
    return hash.digest('hex')
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('file_unreadable', `${path} cannot be read: ${(error as Error).message}`, { pointer: '--file' })
  }
}
