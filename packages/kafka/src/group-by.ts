/** The items by what `keyOf` says of each, keys and items in the order in which they come (`Map.groupBy` of Node 21). */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => number): (readonly [number, readonly T[]])[] {
  const groups = new Map<number, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups]
}
