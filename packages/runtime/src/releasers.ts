import type { Logger } from './logger.ts'

/** Collects what has to be released. */
export interface Releasers {
  /** Registers a release; to be called on the line after the acquiring. */
  add(name: string, release: () => void | Promise<void>): void
  /**
   * Releases everything, last-in first-out, each after the one before has ended. A failing release is logged and does not
   * keep the others from theirs. After `deadlineMs` (default: none) the rest is called without waiting. Never rejects;
   * further calls give the same promise.
   */
  close(deadlineMs?: number): Promise<void>
}

/** Creates an empty collection. Anything added after {@link Releasers.close} was called is released at once. */
export function createReleasers(log: Pick<Logger, 'error'>): Releasers {
  const stack: { readonly name: string; readonly release: () => void | Promise<void> }[] = []
  let closing: Promise<void> | undefined

  function add(name: string, release: () => void | Promise<void>): void {
    stack.push({ name, release })
    if (closing !== undefined) closing = closing.then(() => releaseAll(undefined))
  }

  function close(deadlineMs?: number): Promise<void> {
    closing ??= releaseAll(deadlineMs)
    return closing
  }

  async function releaseAll(deadlineMs: number | undefined): Promise<void> {
    const deadline = createDeadline(deadlineMs)
    for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
      const { name } = entry
      const released = releaseOne(name, entry.release)
      if ((await Promise.race([released, deadline.passed])) === 'late') {
        log.error({ release: name, deadline_ms: deadlineMs }, 'a release did not end in time')
      }
    }
    deadline.clear()
  }

  async function releaseOne(name: string, release: () => void | Promise<void>): Promise<void> {
    try {
      await release()
    } catch (error) {
      log.error({ release: name, err: error }, 'a release failed')
    }
  }

  return { add, close }
}

/**
 * Runs `start` with a collection of releases; when it fails half-way, what was acquired is released before the error goes
 * on. When it succeeds, the releases are the caller's to close.
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

interface Deadline {
  readonly passed: Promise<'late'>
  clear(): void
}

function createDeadline(ms: number | undefined): Deadline {
  let timer: NodeJS.Timeout | undefined
  const passed = new Promise<'late'>((resolve) => {
    if (ms !== undefined) timer = setTimeout(resolve, ms, 'late')
  })
  return { passed, clear: () => clearTimeout(timer) }
}
