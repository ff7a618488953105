/** Reads once, for all who ask; what failed is read again. */
export function keptOnce<T>(read: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined
  return async () => {
    kept ??= read()
    try {
      return await kept
    } catch (error) {
      kept = undefined
      throw error
    }
  }
}
