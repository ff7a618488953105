import { Ariftly, AuthenticationError, type CurrentApiKey } from '@ariftly/sdk'
import { createContext, use, useSyncExternalStore } from 'react'

/** The key of the session, with what it may. */
export interface SessionKey {
  readonly client: Ariftly
  readonly who: CurrentApiKey
  /** A GET of the API, for the few requests that need the answer as text. */
  readonly get: (path: string, signal: AbortSignal) => Promise<Response>
}

/** Whether there is a key. `refused`: the API takes it no more; the pages stay as they are until there is another one. */
export type SessionState =
  | { readonly type: 'starting'; readonly key: undefined }
  | { readonly type: 'signed_out'; readonly key: undefined }
  | { readonly type: 'refused'; readonly key: SessionKey | undefined }
  | { readonly type: 'signed_in'; readonly key: SessionKey }

const STORAGE_KEY = 'ariftly.key'
/** A person waits for the answer. */
const TOTAL_TIMEOUT_MS = 20_000

/**
 * The API key of this tab. It is held in memory, and in `sessionStorage` only when that is asked for; it goes out as a header and nowhere else.
 */
export class Session {
  readonly #listeners = new Set<() => void>()
  #state: SessionState = { type: 'starting', key: undefined }

  constructor() {
    const stored = read()
    if (stored === null) this.#state = { type: 'signed_out', key: undefined }
    else void this.#restore(stored)
  }

  get current(): SessionState {
    return this.#state
  }

  /** Takes a key if the API does. Rejects with what the API answered. */
  async signIn(apiKey: string, { remember }: { readonly remember: boolean }): Promise<void> {
    const key = await this.#open(apiKey)
    if (remember) write(apiKey)
    else forget()
    this.#set({ type: 'signed_in', key })
  }

  /** Forgets the key. */
  signOut(): void {
    forget()
    void this.#state.key?.client.close({ timeoutMs: 0 })
    this.#set({ type: 'signed_out', key: undefined })
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #restore(apiKey: string): Promise<void> {
    try {
      this.#set({ type: 'signed_in', key: await this.#open(apiKey) })
    } catch (error) {
      if (error instanceof AuthenticationError) forget()
      this.#set({ type: error instanceof AuthenticationError ? 'refused' : 'signed_out', key: undefined })
    }
  }

  /** The key with a client whose answers are all checked: a 401 ends the session, if it still is that of this key. */
  async #open(apiKey: string): Promise<SessionKey> {
    const own = {}
    const watched: typeof fetch = async (input, init) => {
      const answer = await fetch(input, init)
      if (answer.status === 401) this.#refuse(own)
      return answer
    }
    // The SDK reports lost connections to its logger; the pages show them.
    const logger = { warn() {}, debug() {} }
    const limits = { maxRetries: 2, totalTimeoutMs: TOTAL_TIMEOUT_MS }
    const client = new Ariftly({ apiKey, baseUrl: location.origin, logger, fetch: watched, ...limits })
    const headers = { Authorization: `Bearer ${apiKey}` }
    const get = async (path: string, signal: AbortSignal) => await watched(path, { headers, signal })
    return Object.assign(own, { client, who: await client.apiKeys.current(), get })
  }

  /** The API takes the key no more: another one is asked for, on the same page. */
  #refuse(key: object): void {
    if (this.#state.type !== 'signed_in' || this.#state.key !== key) return
    forget()
    this.#set({ type: 'refused', key: this.#state.key })
  }

  #set(state: SessionState): void {
    this.#state = state
    for (const listener of this.#listeners) listener()
  }
}

/** A browser may refuse storage. */
function read(): string | null {
  try {
    return sessionStorage.getItem(STORAGE_KEY)
  } catch {
    return null
  }
}

function write(apiKey: string): void {
  try {
    sessionStorage.setItem(STORAGE_KEY, apiKey)
  } catch {
    // The key stays in memory.
  }
}

function forget(): void {
  try {
    sessionStorage.removeItem(STORAGE_KEY)
  } catch {
    // Nothing was stored.
  }
}

/** The session of the page. */
export const SessionContext = createContext<Session | undefined>(undefined)

/** The session, for what signs in and out. */
export function useSession(): Session {
  const session = use(SessionContext)
  if (session === undefined) throw new Error('There is no session above this component.')
  return session
}

/** The state of the session; the component is rendered again when it changes. */
export function useSessionState(): SessionState {
  const session = useSession()
  return useSyncExternalStore(session.subscribe, () => session.current)
}

/** The key of the session: for components that are only rendered with one. */
export function useKey(): SessionKey {
  const { key } = useSessionState()
  if (key === undefined) throw new Error('There is no key.')
  return key
}
