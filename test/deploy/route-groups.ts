import { ROUTES, type ServiceName } from '@ariftly/http'

/** One path of the route table, for a proxy. */
export interface PathRoutes {
  /** As in the table, with `{name}` for a segment. */
  readonly path: string
  /** The service of each method. */
  readonly byMethod: ReadonlyMap<string, ServiceName>
}

/** The route table by path, in its order. */
export function pathRoutes(): readonly PathRoutes[] {
  const paths = new Map<string, Map<string, ServiceName>>()
  for (const { path, method, service } of ROUTES) {
    const byMethod = paths.get(path) ?? new Map<string, ServiceName>()
    byMethod.set(method, service)
    paths.set(path, byMethod)
  }
  return [...paths].map(([path, byMethod]) => ({ path, byMethod }))
}

/** The service that has all methods of a path; undefined when there are several. */
export function onlyService({ byMethod }: PathRoutes): ServiceName | undefined {
  const services = new Set(byMethod.values())
  const [service] = services
  return services.size === 1 ? service : undefined
}

/** The path with a value in each `{parameter}`. */
export function samplePath(path: string): string {
  return path.replaceAll(/\{\w+\}/g, 'x_01m88y3fz3eeksq399rkr6wnx3')
}
