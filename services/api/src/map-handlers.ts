import type { ApiHandler, RouteName } from '@ariftly/http'

/** Makes a handler of a route of each entry, under the same names. */
export function mapHandlers<N extends RouteName, H>(
  handlers: Readonly<Record<N, H>>,
  make: (handler: H, name: N) => ApiHandler,
): Readonly<Record<N, ApiHandler>> {
  const made = (Object.entries<H>(handlers) as [N, H][]).map(([name, handler]) => [name, make(handler, name)])
  return Object.fromEntries(made) as Record<N, ApiHandler>
}
