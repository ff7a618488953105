/**
 * A size or a time of a test that has two forms: the short one for each change, and the long one of `npm run test:long`, which has the
 * times of production, more events or more random inputs.
 */
export function byForm<T>(forms: { readonly short: T; readonly long: T }, env: NodeJS.ProcessEnv = process.env): T {
  return env['ARIFTLY_LONG_FAULTS'] === '1' ? forms.long : forms.short
}
