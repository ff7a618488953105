import type { Authenticator } from '@ariftly/auth'
import type { Backends, Readiness } from '@ariftly/runtime'
import type { EpochFollower } from '../epochs/follow-epochs.ts'

/** Whether the gateway may be given streams. */
export interface GatewayReadiness {
  readonly isDraining: boolean
  /** From now on it is not ready. */
  startDraining(): void
  read(): Readiness
}

/**
 * The gateway is ready once it has passed the log's end at start-up, and stays ready while it lags: streams would lag at any
 * other gateway too. It is unready while the log cannot be read, or is another log.
 */
export function createReadiness(o: {
  readonly epochs: EpochFollower
  readonly auth: Pick<Authenticator, 'state'>
  readonly backends: Backends
}): GatewayReadiness {
  let isDraining = false
  let wasReady = false

  function read(): Readiness {
    const { epochReader, trouble } = o.epochs
    const isCaughtUp = epochReader?.caughtUp() === true
    if (epochReader === undefined) wasReady = false
    else if (isCaughtUp) wasReady = true
    return {
      ready: wasReady && !isDraining,
      checks: {
        log: trouble ?? (isCaughtUp ? 'ok' : 'catching up'),
        projection: epochReader?.projection.state() ?? 'not read yet',
        keys: o.auth.state,
        ...o.backends.statesOf('kafka', 'postgres'),
      },
    }
  }

  return {
    get isDraining() {
      return isDraining
    },
    startDraining() {
      isDraining = true
    },
    read,
  }
}
