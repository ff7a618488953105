/** The name that is the nearest to a word by insertions, deletions, replacements and swaps; undefined when none is near. */
export function nearestOf(word: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((name) => ({ name, distance: distance(word.toLowerCase(), name.toLowerCase()) }))
    .filter((one) => one.distance <= Math.max(2, Math.ceil(one.name.length / 2)))
    .toSorted((left, right) => left.distance - right.distance)
  return ranked[0]?.name
}

/** Optimal string alignment; words of options and members are short. */
function distance(left: string, right: string): number {
  let before: number[] = []
  let row = Array.from({ length: right.length + 1 }, (_, at) => at)
  for (let i = 1; i <= left.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= right.length; j += 1) {
      const cost = left[i - 1] === right[j - 1] ? 0 : 1
      const isSwap = i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]
      const swapped = isSwap ? (before[j - 2] ?? 0) + 1 : Infinity
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost, swapped)
    }
    before = row
    row = next
  }
  return row[right.length] ?? 0
}

/** The end of a message that names what was meant; empty where nothing is near. */
export function meant(nearest: string | undefined): string {
  return nearest === undefined ? '' : ` Did you mean ${nearest}?`
}
