/**
 * A position in the whole log: the next offset of each partition. A stream at a position has shown all its matching records
 * below it and none at or above it.
 */
export type OffsetVector = Float64Array

/** An {@link OffsetVector} to a reader that does not own it, and so does not move it. */
export type ReadonlyOffsetVector = ArrayLike<number>

/** The position before the first record. */
export function originOf(partitions: number): OffsetVector {
  return new Float64Array(partitions)
}

/** Whether `a` is at or above `b` in every partition. */
export function dominates(a: ReadonlyOffsetVector, b: ReadonlyOffsetVector): boolean {
  for (let partition = 0; partition < a.length; partition += 1) {
    if ((a[partition] ?? 0) < (b[partition] ?? 0)) return false
  }
  return true
}

/** Moves `position` up to `other` wherever it is below. */
export function raise(position: OffsetVector, other: ReadonlyOffsetVector): void {
  for (let partition = 0; partition < position.length; partition += 1) {
    const to = other[partition] ?? 0
    if (to > (position[partition] ?? 0)) position[partition] = to
  }
}
