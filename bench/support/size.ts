/**
 * A size or a time of a benchmark: the full one gives the figures of docs/performance.md; the smallest one only shows that the benchmark
 * still runs (`npm run test:long -- --only bench`, which sets BENCH_SMALLEST=1). Its figures mean nothing.
 */
export function bySize<T>(sizes: { readonly full: T; readonly smallest: T }): T {
  return process.env['BENCH_SMALLEST'] === '1' ? sizes.smallest : sizes.full
}
