/**
 * Returns a view that may be kept: itself if it is at least a third of its underlying memory, otherwise a copy. So a kept part
 * of an answer never retains more than three times its own size.
 */
export function retain(view: Buffer): Buffer {
  if (view.length * 3 >= view.buffer.byteLength) return view
  const copy = Buffer.allocUnsafeSlow(view.length)
  view.copy(copy)
  return copy
}
