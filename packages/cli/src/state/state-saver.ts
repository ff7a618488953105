/** Saves what changes often: the newest value, at most once in `everyMs`, one at a time. */
export class StateSaver<S> {
  readonly #save: (value: S) => Promise<void>
  readonly #everyMs: number
  readonly #onFailed: (error: unknown) => void
  #unsaved: { readonly value: S } | undefined
  #timer: NodeJS.Timeout | undefined
  #saving: Promise<void> | undefined

  /** `onFailed` is called with what `save` rejects with, but by `flush`. */
  constructor(save: (value: S) => Promise<void>, everyMs: number, onFailed: (error: unknown) => void) {
    this.#save = save
    this.#everyMs = everyMs
    this.#onFailed = onFailed
  }

  /** Takes a value in place of the last one; it is saved soon. */
  note(value: S): void {
    this.#unsaved = { value }
    this.#timer ??= setTimeout(() => void this.flush().catch(this.#onFailed), this.#everyMs)
  }

  /** Resolves when all that was noted is saved; rejects when it cannot be. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#unsaved !== undefined || this.#saving !== undefined) {
      this.#saving ??= this.#saveNewest()
      await this.#saving
    }
  }

  async #saveNewest(): Promise<void> {
    try {
      const newest = this.#unsaved
      this.#unsaved = undefined
      if (newest !== undefined) await this.#save(newest.value)
    } finally {
      this.#saving = undefined
    }
  }
}
