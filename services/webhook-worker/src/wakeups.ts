/**
 * Tells the scheduler which webhooks to look at: the matcher, outcomes, the sweeper and replays wake them. Until a scheduler
 * listens nothing is kept, as its first look finds all that is due.
 */
export class Wakeups {
  #onWake: (webhookIds: Iterable<string>) => void = ignore
  #onWakeAll: () => void = ignore

  /** Passes on from now on. */
  listen(onWake: (webhookIds: Iterable<string>) => void, onWakeAll: () => void): void {
    this.#onWake = onWake
    this.#onWakeAll = onWakeAll
  }

  /** These webhooks may have something due, or capacity again. */
  readonly wake = (webhookIds: Iterable<string>): void => this.#onWake(webhookIds)

  /** Any webhook may. */
  readonly wakeAll = (): void => this.#onWakeAll()
}

function ignore(): void {}
