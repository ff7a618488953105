interface Timer {
  ref?(): void
  unref?(): void
}

/** One timer for the earliest of several times. It keeps a Node process alive only while somebody waits. */
export class WakeUp {
  readonly #act: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #atMs = Infinity
  #keepsAlive = false

  constructor(act: () => void) {
    this.#act = act
  }

  /** Acts at this time (Unix milliseconds), or before when it was asked for an earlier one. */
  at(atMs: number): void {
    if (atMs >= this.#atMs) return
    this.cancel()
    this.#atMs = atMs
    this.#timer = setTimeout(
      () => {
        this.#atMs = Infinity
        this.#timer = undefined
        this.#act()
      },
      Math.max(0, atMs - Date.now()),
    )
    if (!this.#keepsAlive) (this.#timer as Timer).unref?.()
  }

  keepAlive(keepsAlive: boolean): void {
    if (keepsAlive === this.#keepsAlive) return
    this.#keepsAlive = keepsAlive
    const timer = this.#timer as Timer | undefined
    if (keepsAlive) timer?.ref?.()
    else timer?.unref?.()
  }

  cancel(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#atMs = Infinity
  }
}
