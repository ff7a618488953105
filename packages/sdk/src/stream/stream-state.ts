/**
 * State of a stream. `connecting`: it opens a connection. `catching_up`: it receives events from before it connected. `live`: it
 * receives events as they happen. `waiting`: it will connect again at `retryAt`; `error` says why it is not connected, undefined
 * when the server ended the connection in good order. `closed`: its loop has ended.
 */
export type StreamState =
  | { readonly type: 'connecting' }
  | { readonly type: 'catching_up' }
  | { readonly type: 'live' }
  | { readonly type: 'waiting'; readonly error: Error | undefined; readonly retryAt: Date }
  | { readonly type: 'closed' }

/** Holds the state of a stream and reports its changes. */
export class StateKeeper {
  readonly #report: (state: StreamState) => void
  #state: StreamState = { type: 'connecting' }
  #isReported = false

  constructor(report: (state: StreamState) => void) {
    this.#report = report
  }

  get current(): StreamState {
    return this.#state
  }

  /** Takes the state, and reports it if it is another one. */
  set(state: StreamState): void {
    if (this.#isReported && state.type === this.#state.type && state.type !== 'waiting') return
    this.#isReported = true
    this.#state = state
    this.#report(state)
  }
}
