/** A tenant's values that can be in a request, by kind. */
export interface Pool {
  readonly tenant: string
  /** Ids of objects, by their prefix: `evt`, `whk`, `dlv`, `rpl`, `rdl`, `key`. */
  readonly ids: Readonly<Record<IdKind, readonly string[]>>
  readonly taskIds: readonly string[]
  readonly agents: readonly string[]
  readonly sessionIds: readonly string[]
  /** Cursors of every list, ids of stream frames and stream tokens: sealed texts that reveal nothing. */
  readonly sealed: readonly string[]
}

/** The prefixes of ids. */
export type IdKind = 'evt' | 'whk' | 'dlv' | 'rpl' | 'rdl' | 'key'

/** Draws one of a list. */
export type Pick = <T>(of: readonly T[]) => T

/** Draws with `random`. */
export function createPick(random: () => number): Pick {
  return function pick<T>(of: readonly T[]): T {
    const drawn = of[Math.floor(random() * of.length)]
    if (drawn === undefined) throw new RangeError('There is nothing to draw from.')
    return drawn
  }
}

/** All texts of a pool. */
export function everythingOf(pool: Pool): readonly string[] {
  return [
    pool.tenant,
    ...Object.values(pool.ids).flat(),
    ...pool.taskIds,
    ...pool.agents,
    ...pool.sessionIds,
    ...pool.sealed,
  ]
}
