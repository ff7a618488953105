import type { Readable } from 'node:stream'
import { Ariftly, type ClientOptions } from '@ariftly/sdk'
import { parseArgv, type Invocation } from './command/parse-argv.ts'
import type { Context, Server, ServerFlags } from './command/context.ts'
import { CliError } from './errors/cli-error.ts'
import { EXIT, type ExitCode } from './errors/exit-code.ts'
import { Input } from './command/input.ts'
import { readStdin } from './command/read-source.ts'
import { describeError, printError } from './command/report-error.ts'
import { createConfirm } from './terminal/confirm.ts'
import { createOutput, type Output } from './terminal/output.ts'
import { literal, show } from './terminal/show.ts'
import { foldersOf } from './settings/folders.ts'
import { createProxyFetch, proxyOf } from './settings/proxy-fetch.ts'
import { readServer } from './settings/read-server.ts'
import { TREE } from './tree.ts'

/** The process around a command. */
export interface Host {
  readonly argv: readonly string[]
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Output['stream']
  readonly stderr: Output['stream']
  readonly env: NodeJS.ProcessEnv
  /** Aborts at Ctrl-C. */
  readonly signal: AbortSignal
  now(): number
}

/** Runs one command line, and answers with its exit code. It never throws. */
export async function runCli(host: Host): Promise<ExitCode> {
  const gone = new AbortController()
  const signal = AbortSignal.any([host.signal, gone.signal])
  let lost: CliError | undefined
  const out = createOutput(host.stdout, host.env, ({ code, message }) => {
    if (code !== 'EPIPE') lost = new CliError('output_failed', `Standard output cannot be written: ${message}`)
    gone.abort(lost ?? new Error('The reader of standard output has closed it.'))
  })
  const err = createOutput(host.stderr, host.env, () => undefined)
  const servers: Server[] = []
  const clients: Ariftly[] = []
  async function runParsed(): Promise<ExitCode> {
    const stdin = async () => await readStdin(host.stdin, signal)
    const parsed = await parseArgv(TREE, host.argv, { nowMs: host.now(), stdin })
    if ('help' in parsed) {
      await (parsed.isMistake ? err : out).line(literal(parsed.help.trimEnd()))
      return parsed.isMistake ? EXIT.failed : EXIT.done
    }
    const context = createContext({ host, parsed, out, err, signal, servers, clients })
    const { command, values } = parsed
    const isAsked = command.asksUnless === undefined || values.get(command.asksUnless) !== true
    if (command.asks !== undefined && isAsked) await context.confirm(literal(command.asks))
    return (await command.run(context, new Input(values))) ?? EXIT.done
  }
  try {
    const code = await runParsed()
    await out.flushed()
    if (lost !== undefined) throw lost
    return code
  } catch (error) {
    if (lost === undefined && gone.signal.aborted) return EXIT.done
    if (lost === undefined && host.signal.aborted) return EXIT.cancelled
    const secrets = servers.map(({ apiKey }) => apiKey)
    const report = describeError(lost ?? error, servers[0]?.url, secrets)
    await printError(report, err, isJson(host))
    return report.exit_code
  } finally {
    await Promise.all(clients.map(async (client) => await client.close({ timeoutMs: 0 }).catch(() => undefined)))
  }
}

interface Parts {
  readonly host: Host
  readonly parsed: Invocation
  readonly out: Output
  readonly err: Output
  readonly signal: AbortSignal
  /** Filled with the servers of those clients. */
  readonly servers: Server[]
  /** Filled with the clients that were made. */
  readonly clients: Ariftly[]
}

function createContext({ host, parsed: { globals }, out, err, signal, servers, clients }: Parts): Context {
  const flags: ServerFlags = {
    server: textOf(globals.get('server')),
    profile: textOf(globals.get('profile')),
    allowHttp: globals.get('allow-http') === true,
  }
  const quiet = globals.get('quiet') === true
  const isJsonAsked = globals.get('json') === true
  const folders = foldersOf(host.env)
  // Commands print all messages themselves.
  const logger = {
    warn: () => undefined,
    debug: (text: string) => void (host.env['ARIFTLY_LOG'] === 'debug' && err.line(show`${text}`)),
  }
  const fetch = createProxyFetch(host.env)
  let known: Promise<Server> | undefined
  async function server(): Promise<Server> {
    known ??= readServer({ flags, env: host.env, configFolder: folders.config })
    const { url } = await known
    // Here, as an error of `fetch` would be waited out.
    proxyOf(new URL(url), host.env)
    return await known
  }
  function clientOf(of: Server, options: Omit<ClientOptions, 'apiKey' | 'baseUrl'> = {}): Ariftly {
    servers.push(of)
    const client = new Ariftly({ fetch, logger, ...options, baseUrl: of.url, apiKey: of.apiKey })
    clients.push(client)
    return client
  }
  return {
    server,
    client: async (options) => clientOf(await server(), options),
    clientOf,
    fetch,
    out,
    err,
    note: async (text) => {
      if (!quiet) await err.line(text)
    },
    confirm: createConfirm({ stdin: host.stdin, err, signal }, globals.get('yes') === true),
    stdin: host.stdin,
    isTty: out.isTty,
    json: isJsonAsked || !out.isTty,
    isJsonAsked,
    quiet,
    env: host.env,
    folders,
    flags,
    signal,
    now: () => host.now(),
  }
}

/** Also where the command line could not be parsed. */
function isJson({ argv, stdout }: Host): boolean {
  return argv.includes('--json') || stdout.isTTY !== true
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
