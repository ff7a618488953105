import type { Readable } from 'node:stream'
import type { Ariftly, ClientOptions } from '@ariftly/sdk'
import type { Shown } from '../terminal/show.ts'
import type { Output } from '../terminal/output.ts'

/** The API that commands call. */
export interface Server {
  /** Without a slash at its end. */
  readonly url: string
  /** Never to be printed. */
  readonly apiKey: string
  /** Where the key is from, for messages: `ARIFTLY_API_KEY`, a path, a profile. */
  readonly keySource: string
}

/** Options that say which server is called. */
export interface ServerFlags {
  readonly server?: string | undefined
  readonly profile?: string | undefined
  readonly allowHttp?: boolean | undefined
}

/** Everything that a command may use. */
export interface Context {
  /** URL and key, read once. Throws a CliError with exit code 4 where there is no key, and 1 where there is no URL, or one that keys must not go to. */
  server(): Promise<Server>
  /** A new client of `server()`; it is closed when the command ends. Throws what `server` throws. */
  client(options?: Omit<ClientOptions, 'apiKey' | 'baseUrl'>): Promise<Ariftly>
  /** The same for another server, or another key. */
  clientOf(server: Server, options?: Omit<ClientOptions, 'apiKey' | 'baseUrl'>): Ariftly
  /** Through the proxy of the environment, where there is one for the URL. Clients use it. */
  readonly fetch: typeof fetch
  /** Standard output: the data, nothing else. */
  readonly out: Output
  /** Standard error: all else. Notices go through `note`. */
  readonly err: Output
  /** Prints a line on standard error, unless `--quiet`. */
  note(text: Shown): Promise<void>
  /**
   * Asks a question that is answered by y on the terminal. Returns at once with `--yes`; throws a CliError where there is no terminal, and when the
   * answer is no.
   */
  confirm(question: Shown): Promise<void>
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** Whether standard output is a terminal. */
  readonly isTty: boolean
  /** Whether data is printed as JSON: with `--json`, and wherever standard output is no terminal. */
  readonly json: boolean
  /** With `--json` alone, for what is text for people in a pipe too. */
  readonly isJsonAsked: boolean
  readonly quiet: boolean
  readonly env: NodeJS.ProcessEnv
  /** Folders of this program under XDG; they are made when something is written, with mode 0700. */
  readonly folders: { readonly config: string; readonly state: string }
  /** `--server`, `--profile` and `--allow-http`, for what asks for the server in its own way. */
  readonly flags: ServerFlags
  /** Aborts at Ctrl-C (then exit code 2), at SIGTERM, and when the reader of standard output has closed it. */
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  now(): number
}
