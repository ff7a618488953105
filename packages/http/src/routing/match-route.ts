import { ROUTES, type Route, type RouteName } from './routes.ts'

/** A route of the table. */
export type NamedRoute = Route & { readonly name: RouteName }

/** A route that fits, with the decoded parameters of the path; or the methods that the path has; or nothing at this path. */
export type RouteMatch =
  | { readonly route: NamedRoute; readonly params: Readonly<Record<string, string>> }
  | { readonly allow: readonly string[] }
  | undefined

/** Finds the route of a method and a path (without query). */
export type MatchRoute = (method: string, pathname: string) => RouteMatch

/** Finds among all routes. */
export const matchRoute: MatchRoute = createRouteMatcher(ROUTES)

/** Makes a finder among some routes. HEAD is found as GET. Paths are matched exactly: case counts, and so does a `/` at the end. */
export function createRouteMatcher(routes: readonly NamedRoute[]): MatchRoute {
  const fixed = new Map<string, NamedRoute[]>()
  const withParams: { readonly route: NamedRoute; readonly segments: readonly string[] }[] = []
  for (const route of routes) {
    if (route.path.includes('{')) withParams.push({ route, segments: route.path.split('/') })
    else fixed.set(route.path, [...(fixed.get(route.path) ?? []), route])
  }

  function match(method: string, pathname: string): RouteMatch {
    const atPath = fixed.get(pathname)
    return atPath === undefined ? matchParams(method, pathname) : choose(method, atPath, () => ({}))
  }

  function matchParams(method: string, pathname: string): RouteMatch {
    const segments = pathname.split('/')
    const fitting = withParams.filter((candidate) => fits(candidate.segments, segments)).map(({ route }) => route)
    return fitting.length === 0 ? undefined : choose(method, fitting, (route) => paramsOf(route, segments))
  }

  return match
}

function choose(
  method: string,
  routes: readonly NamedRoute[],
  params: (route: NamedRoute) => Readonly<Record<string, string>> | undefined,
): RouteMatch {
  for (const route of routes) {
    if (route.method !== method && !(method === 'HEAD' && route.method === 'GET' && route.noHead !== true)) continue
    const values = params(route)
    return values === undefined ? undefined : { route, params: values }
  }
  return { allow: allowedMethods(routes) }
}

function allowedMethods(routes: readonly NamedRoute[]): readonly string[] {
  return routes.flatMap(({ method, noHead }) => (method === 'GET' && noHead !== true ? ['GET', 'HEAD'] : [method]))
}

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, at) => (part.startsWith('{') ? segments[at] !== '' : part === segments[at]))
  )
}

function paramsOf(route: NamedRoute, segments: readonly string[]): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {}
  for (const [at, part] of route.path.split('/').entries()) {
    if (!part.startsWith('{')) continue
    const value = decode(segments[at] ?? '')
    if (value === undefined) return undefined
    params[part.slice(1, -1)] = value
  }
  return params
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
