/** What a client wants to do when the program is about to end. */
export interface Leaving {
  /** Node has nothing more to do: send what is left, and keep the process alive until then. */
  beforeExit(): void
  /** The page may go away for good: one last request of at most so many bytes. */
  pageHide(bytes: number): void
}

interface Platform {
  readonly process?: {
    readonly versions?: { readonly node?: string }
    readonly on?: (name: 'beforeExit', act: () => void) => void
  }
  readonly navigator?: unknown
  readonly document?: unknown
  readonly addEventListener?: (name: string, act: (event: { readonly persisted?: boolean }) => void) => void
  readonly removeEventListener?: (name: string, act: (event: { readonly persisted?: boolean }) => void) => void
}

const platform = globalThis as Platform

/** Browsers let requests of 64 KiB in all outlive a page; some of it is left to others. */
const KEEPALIVE_BYTES = 48 * 1024

/** Version of Node, undefined elsewhere. */
export const nodeVersion: string | undefined = platform.process?.versions?.node

const leaving = new Set<Leaving>()
let isListening = false

/** Calls `client` at the end of the program until the answered function is called. One listener serves all clients. */
export function onLeaving(client: Leaving): () => void {
  leaving.add(client)
  if (!isListening) {
    isListening = true
    platform.process?.on?.('beforeExit', () => {
      for (const each of leaving) each.beforeExit()
    })
    if (platform.document !== undefined) {
      platform.addEventListener?.('pagehide', () => {
        for (const each of leaving) each.pageHide(Math.floor(KEEPALIVE_BYTES / leaving.size))
      })
    }
  }
  return () => void leaving.delete(client)
}
/** Calls `act` when a browser is online again, or shows a page again that it had put away. Answers what ends that. */
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
