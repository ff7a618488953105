import { Ariftly, AuthenticationError, type CurrentApiKey } from '@ariftly/sdk'
import { createContext, use, useSyncExternalStore } from 'react'

/** A key that the API has taken, with what it may. */
export interface SessionKey {
  /** Distinguishes the keys of a document, also when one is pasted twice. */
  readonly serial: number
  readonly client: Ariftly
  readonly who: CurrentApiKey
  /** A GET of the API, for the few requests that need the answer as text. */
  readonly get: (path: string, signal: AbortSignal) => Promise<Response>
  /** Aborts when the key is forgotten or refused, and with it every request that it made. */
  readonly ended: AbortSignal
}

/** Whether there is a key. `refused`: the API takes it no more, and another one is asked for. */
export type SessionState =
  | { readonly type: 'starting' }
  | { readonly type: 'signed_out' }
  | { readonly type: 'refused' }
  | { readonly type: 'signed_in'; readonly key: SessionKey }

const STORAGE_KEY = 'ariftly.key'
/** A person waits for the answer. */
const TOTAL_TIMEOUT_MS = 20_000

/**
 * The API key of this tab. It is held in memory, and in `sessionStorage` only when that is asked for; it goes out as a header and nowhere else.
 */
export class Session {
  readonly #listeners = new Set<() => void>()
  #state: SessionState = { type: 'starting' }
  /** Ends the key of the state. */
  #ending: AbortController | undefined
  #opened = 0

  constructor() {
    const stored = read()
    if (stored === null) this.#state = { type: 'signed_out' }
    else void this.#restore(stored)
  }

  get current(): SessionState {
    return this.#state
  }

  /** Takes a key if the API does. Rejects with what the API answered. */
  async signIn(apiKey: string, { remember }: { readonly remember: boolean }): Promise<void> {
    const ending = new AbortController()
    const key = await this.#open(apiKey, ending)
    if (remember) write(apiKey)
    else forget()
    this.#set({ type: 'signed_in', key }, ending)
  }

  /** Forgets the key. */
  signOut(): void {
    forget()
    this.#set({ type: 'signed_out' })
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async #restore(apiKey: string): Promise<void> {
    const ending = new AbortController()
    try {
      this.#set({ type: 'signed_in', key: await this.#open(apiKey, ending) }, ending)
    } catch (error) {
      if (error instanceof AuthenticationError) forget()
      this.#set({ type: error instanceof AuthenticationError ? 'refused' : 'signed_out' })
    }
  }

  /** The key with a client whose answers are all checked: a 401 ends the session, if it still is that of this key. */
  async #open(apiKey: string, ending: AbortController): Promise<SessionKey> {
    const ended = ending.signal
    const watched: typeof fetch = async (input, init) => {
      const signal = init?.signal == null ? ended : AbortSignal.any([init.signal, ended])
      // The browser's cache would keep events beyond the key.
      const answer = await fetch(input, { ...init, signal, cache: 'no-store' })
      if (answer.status === 401) this.#refuse(ending)
      return answer
    }
    // The SDK reports lost connections to its logger; the pages show them.
    const logger = { warn() {}, debug() {} }
    const limits = { maxRetries: 2, totalTimeoutMs: TOTAL_TIMEOUT_MS }
    const client = new Ariftly({ apiKey, baseUrl: location.origin, logger, fetch: watched, ...limits })
    const headers = { Authorization: `Bearer ${apiKey}` }
    const get = async (path: string, signal: AbortSignal) => await watched(path, { headers, signal })
    ended.addEventListener('abort', () => void client.close({ timeoutMs: 0 }))
    this.#opened += 1
    return { serial: this.#opened, client, who: await client.apiKeys.current(), get, ended }
  }

  /** The API takes the key no more: another one is asked for, at the same address. */
  #refuse(ending: AbortController): void {
    if (this.#ending !== ending) return
    forget()
    this.#set({ type: 'refused' })
  }

  /** Ends the key before. `ending` is that of the new one. */
  #set(state: SessionState, ending?: AbortController): void {
    const former = this.#ending
    this.#ending = ending
    this.#state = state
    for (const listener of this.#listeners) listener()
    former?.abort()
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

/** The session of the document. */
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

/** The key that the pages below were made for. */
export const KeyContext = createContext<SessionKey | undefined>(undefined)

/** The key of the pages: for components that are only rendered with one. */
export function useKey(): SessionKey {
  const key = use(KeyContext)
  if (key === undefined) throw new Error('There is no key above this component.')
  return key
}
