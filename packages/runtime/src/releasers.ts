import type { Logger } from './logger.ts'

/** Collects what has to be released. */
export interface Releasers {
  /** Registers a release; to be called on the line after the acquiring. */
  add(name: string, release: () => void | Promise<void>): void
  /**
   * Releases everything, last-in first-out, each after the one before has ended. A failing release is logged and does not
   * keep the others from theirs. Never rejects; further calls give the same promise.
   */
  close(): Promise<void>
}

/** Creates an empty collection. Anything added after {@link Releasers.close} was called is released immediately. */
export function createReleasers(log: Pick<Logger, 'error'>): Releasers {
  const stack: { readonly name: string; readonly release: () => void | Promise<void> }[] = []
  let closing: Promise<void> | undefined

  function add(name: string, release: () => void | Promise<void>): void {
    stack.push({ name, release })
    if (closing !== undefined) closing = closing.then(releaseAll)
  }

  function close(): Promise<void> {
    closing ??= releaseAll()
    return closing
  }

  async function releaseAll(): Promise<void> {
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) await releaseOne(entry.name, entry.release)
  }

  async function releaseOne(name: string, release: () => void | Promise<void>): Promise<void> {
    try {
      await release()
    } catch (error) {
      log.error({ release: name, err: error }, 'a resource could not be closed')
    }
  }

  return { add, close }
}

/**
 * Runs `start` with a collection of releases. If it fails half-way, the acquired resources are released before the error is
 * rethrown. If it succeeds, the caller closes the releases.
 */
export async function withReleasers<T>(
  log: Pick<Logger, 'error'>,
  start: (releasers: Releasers) => Promise<T>,
): Promise<T> {
  const releasers = createReleasers(log)
  try {
    return await start(releasers)
  } catch (error) {
    await releasers.close()
    throw error
  }
}
