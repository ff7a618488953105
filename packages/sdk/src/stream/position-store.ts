/** Keeps the position of a stream beyond the life of the program. */
export interface PositionStore {
  /** The position that was saved last; undefined without one. */
  load(): Promise<string | undefined> | string | undefined
  save(position: string): Promise<void> | void
}

/** The part of `localStorage` that is used. */
interface KeyValues {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
}

/** Keeps a position in `localStorage`, or in something with its methods. */
export function localStoragePositionStore(key: string, storage?: KeyValues): PositionStore {
  const values = () => storage ?? (globalThis as unknown as { readonly localStorage: KeyValues }).localStorage
  return {
    load: () => values().getItem(key) ?? undefined,
    save: (position) => values().setItem(key, position),
  }
}

/** Saves positions at most once in `everyMs`, one at a time, the newest always last. */
export class PositionSaver {
  readonly #store: PositionStore
  readonly #everyMs: number
  readonly #warn: (error: unknown) => void
  #newest: string | undefined
  #saved: string | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #saving: Promise<void> = Promise.resolve()

  constructor(store: PositionStore, everyMs: number, warn: (error: unknown) => void) {
    this.#store = store
    this.#everyMs = everyMs
    this.#warn = warn
  }

  async load(): Promise<string | undefined> {
    this.#saved = await this.#store.load()
    return this.#saved
  }

  /** With `everyMs` 0 resolves when the position is saved; otherwise immediately. A failure is passed to `warn`, and the next save retries. */
  async note(position: string): Promise<void> {
    this.#newest = position
    if (this.#everyMs === 0) await this.#save()
    else this.#timer ??= setTimeout(() => void this.#save().catch(this.#warn), this.#everyMs)
  }

  /** Saves the last unsaved position; rejects when the store does. */
  async finish(): Promise<void> {
    await this.#save()
  }

  async #save(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#saving = this.#saveAfter(this.#saving)
    await this.#saving
  }

  async #saveAfter(before: Promise<void>): Promise<void> {
    await before.catch(() => undefined)
    const position = this.#newest
    if (position === undefined || position === this.#saved) return
    await this.#store.save(position)
    this.#saved = position
  }
}
