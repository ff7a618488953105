/**
 * A view that is going to be kept: itself when it is at least a third of the memory behind it, else a copy. So what is kept of
 * an answer of many partitions never keeps more than three times its own size alive.
 */
export function retain(view: Buffer): Buffer {
  if (view.length * 3 >= view.buffer.byteLength) return view
  const copy = Buffer.allocUnsafeSlow(view.length)
  view.copy(copy)
  return copy
}
