/** What a client does when the program is about to end. */
export interface Exit {
  /** Node has nothing more to do: send the queued events, and keep the process alive until then. */
  beforeExit(): void
  /** The program ends now. */
  exit(): void
}

interface Platform {
  readonly process?: {
    readonly versions?: { readonly node?: string }
    readonly env?: Readonly<Record<string, string | undefined>>
    readonly on?: (name: keyof Exit, act: () => void) => void
    exitCode?: number | string | null | undefined
  }
  readonly document?: unknown
  readonly addEventListener?: (name: string, act: (event: { readonly persisted?: boolean }) => void) => void
  readonly removeEventListener?: (name: string, act: (event: { readonly persisted?: boolean }) => void) => void
}

const platform = globalThis as Platform

/** Version of Node, undefined elsewhere. */
export const nodeVersion: string | undefined = platform.process?.versions?.node

/** A variable of the environment; undefined when it is empty, and in browsers. */
export function readEnv(name: 'ARIFTLY_API_KEY' | 'ARIFTLY_URL' | 'ARIFTLY_LOG'): string | undefined {
  return platform.process?.env?.[name] || undefined
}

const clients = new Set<Exit>()
let isListening = false

/** Calls `client` at the end of the program until the returned function is called. One listener serves all clients. */
export function onExit(client: Exit): () => void {
  clients.add(client)
  if (!isListening) {
    isListening = true
    for (const name of ['beforeExit', 'exit'] as const) {
      platform.process?.on?.(name, () => clients.forEach((each) => each[name]()))
    }
  }
  return () => void clients.delete(client)
}

/** Exit code 1, unless the program has set one. */
export function failProgram(): void {
  if (platform.process !== undefined) platform.process.exitCode ??= 1
}

/** Calls `act` when a browser is online again, or shows a page again from its cache. Returns a function that unsubscribes. */
export function onReturn(act: () => void): () => void {
  if (platform.document === undefined) return () => {}
  const shown = (event: { readonly persisted?: boolean }) => {
    if (event.persisted === true) act()
  }
  platform.addEventListener?.('online', act)
  platform.addEventListener?.('pageshow', shown)
  return () => {
    platform.removeEventListener?.('online', act)
    platform.removeEventListener?.('pageshow', shown)
  }
}
