interface Barrier {
  readonly seq: number
  left: number
  resolve(): void
}

/** Those who wait until everything up to a moment is settled. */
export class Barriers {
  #barriers: Barrier[] = []

  get isEmpty(): boolean {
    return this.#barriers.length === 0
  }

  /** Resolves when `left` more events with a number up to `seq` are settled. */
  async wait(seq: number, left: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#barriers.push({ seq, left, resolve })
    })
  }

  settled(seq: number): void {
    if (this.isEmpty) return
    for (const barrier of this.#barriers) {
      if (seq > barrier.seq) continue
      barrier.left -= 1
      if (barrier.left === 0) barrier.resolve()
    }
    this.#barriers = this.#barriers.filter(({ left }) => left > 0)
  }
}
