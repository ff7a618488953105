/** Receives which webhooks to serve. */
export interface Woken {
  /** These webhooks may have something due. */
  readonly wake: (webhookIds: Iterable<string>) => void
  /** Attempts of these webhooks have ended, so they have capacity again. */
  readonly wakeFreed: (webhookIds: Iterable<string>) => void
  /** Any webhook may have something due. */
  readonly wakeAll: () => void
}

/**
 * Passes on to the scheduler which webhooks to serve: the matcher, outcomes, the sweeper and replays wake them. Until a scheduler
 * listens nothing is kept, as its first scan finds all that is due.
 */
export class Wakeups implements Woken {
  #woken: Woken | undefined

  /** Passes on from now on. */
  listen(woken: Woken): void {
    this.#woken = woken
  }

  readonly wake = (webhookIds: Iterable<string>): void => this.#woken?.wake(webhookIds)

  readonly wakeFreed = (webhookIds: Iterable<string>): void => this.#woken?.wakeFreed(webhookIds)

  readonly wakeAll = (): void => this.#woken?.wakeAll()
}
