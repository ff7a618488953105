import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, type Writable } from 'node:stream'
import { runCli } from './run-cli.ts'

/** How a command ended, and what it printed. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** How a command is called. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Standard input; nothing without it. */
  readonly input?: string
  /** Whether standard output, error and input are terminals. */
  readonly isTty?: boolean
  readonly signal?: AbortSignal
  /** Standard output, in place of one that is read at once. */
  readonly stdout?: Writable
}

/** Runs a command in this process, with an own home and no settings of the environment. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env = {}, input = '', isTty = false, signal = new AbortController().signal } = options
  const stdin = Object.assign(new PassThrough(), { isTTY: isTty })
  const [out, err] = [collect(isTty), collect(isTty)]
  stdin.end(input)
  const home = env['HOME'] ?? newHome()
  const code = await runCli({
    argv,
    stdin,
    stdout: options.stdout ?? out.stream,
    stderr: err.stream,
    env: { HOME: home, ...env },
    signal,
    now: Date.now,
  })
  return { code, out: out.text(), err: err.text() }
}

/** An empty home. */
export function newHome(): string {
  return mkdtempSync(join(tmpdir(), 'ariftly-cli-'))
}

/** The JSON objects of lines. */
export function jsonLines(text: string): readonly Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** The error object that a command printed. */
export function errorOf({ err }: Ran): Record<string, unknown> {
  return (jsonLines(err).at(-1) as { readonly error: Record<string, unknown> }).error
}

function collect(isTTY: boolean): { readonly stream: PassThrough & { isTTY: boolean }; text(): string } {
  const chunks: Buffer[] = []
  const stream = Object.assign(new PassThrough(), { isTTY })
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, text: () => Buffer.concat(chunks).toString() }
}
