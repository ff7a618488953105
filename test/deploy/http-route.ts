import type { ServiceName } from '@ariftly/http'
import { stringify } from 'yaml'
import { onlyService, pathRoutes } from './route-groups.ts'

/** A match of a rule of Gateway API's HTTPRoute. */
interface HttpRouteMatch {
  readonly path: { readonly type: 'Exact' | 'PathPrefix'; readonly value: string }
  readonly method?: string
  readonly headers?: readonly { readonly name: string; readonly value: string }[]
}

/** A rule of it. */
export interface HttpRouteRule {
  readonly name?: string
  readonly matches: readonly HttpRouteMatch[]
  readonly backendRefs: readonly { readonly name: string; readonly port: number }[]
  readonly timeouts?: { readonly request: string }
}

/** k8s/base/http-route.yaml, made from the route table. Nothing but its paths is public. */
export function renderHttpRoute(): string {
  const route = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'events-api' },
    spec: { parentRefs: [{ name: 'public', namespace: 'gateway' }], rules: routeRules() },
  }
  return `# Made from the route table by \`npm run generate\`: do not edit.\n${stringify(route)}`
}

function routeRules(): readonly HttpRouteRule[] {
  return [
    { matches: matchesOf('ingest'), backendRefs: [{ name: 'ingest', port: 80 }], timeouts: { request: '60s' } },
    // A stream ends when it likes: 0s is no limit.
    {
      matches: matchesOf('stream-gateway'),
      backendRefs: [{ name: 'stream-gateway', port: 80 }],
      timeouts: { request: '0s' },
    },
    ...inRules(prefixes()).map((matches): HttpRouteRule => {
      return { matches, backendRefs: [{ name: 'api', port: 80 }], timeouts: { request: '60s' } }
    }),
  ]
}

/** Matches of one rule: the schema that the overlays are checked by allows 8. */
const MATCHES_MAX = 8

function inRules(matches: readonly HttpRouteMatch[]): readonly (readonly HttpRouteMatch[])[] {
  return Array.from({ length: Math.ceil(matches.length / MATCHES_MAX) }, (_, rule) =>
    matches.slice(rule * MATCHES_MAX, (rule + 1) * MATCHES_MAX),
  )
}

/** Exact paths; where other services have methods of the path, by method, and with the preflights of browsers that ask about it. */
function matchesOf(service: ServiceName): readonly HttpRouteMatch[] {
  return pathRoutes().flatMap((routes): readonly HttpRouteMatch[] => {
    const methods = [...routes.byMethod].filter(([, owner]) => owner === service).map(([method]) => method)
    if (methods.length === 0) return []
    if (routes.path.includes('{')) throw new Error(`${routes.path}: a path with a parameter can only be the api's.`)
    const path = { type: 'Exact', value: routes.path } as const
    if (onlyService(routes) === service) return [{ path }]
    return methods.flatMap((method) => [
      { path, method },
      { path, method: 'OPTIONS', headers: [{ name: 'Access-Control-Request-Method', value: method }] },
    ])
  })
}

/**
 * The api gets the rest below the prefixes of its paths, and answers 404 and 405 itself. `/` and paths below `/.well-known` are
 * exact: below them are paths of operators and of others (ACME).
 */
function prefixes(): readonly HttpRouteMatch[] {
  const own = pathRoutes().filter(({ byMethod }) => [...byMethod.values()].includes('api'))
  const exact = own.map(({ path }) => path).filter((path) => path === '/' || path.startsWith('/.well-known/'))
  const prefixPaths = new Set(
    own
      .filter(({ path }) => !exact.includes(path))
      .map(({ path }) =>
        path
          .split('/')
          .slice(0, path.startsWith('/v1/') ? 3 : 2)
          .join('/'),
      ),
  )
  return [
    ...exact.map((value) => ({ path: { type: 'Exact', value } as const })),
    ...[...prefixPaths].map((value) => ({ path: { type: 'PathPrefix', value } as const })),
  ]
}

/**
 * The service that a conformant gateway chooses: an exact path before the longest prefix, then a match with a method, then with more headers
 * (Gateway API, HTTPRouteRule).
 */
export function backendOf(
  rules: readonly HttpRouteRule[],
  request: { readonly method: string; readonly path: string; readonly headers?: Readonly<Record<string, string>> },
): string | undefined {
  const fitting = rules.flatMap((rule) =>
    rule.matches.filter((match) => fits(match, request)).map((match) => ({ rule, rank: rankOf(match) })),
  )
  const [best] = fitting.toSorted((one, other) => compareRanks(other.rank, one.rank))
  return best?.rule.backendRefs[0]?.name
}

function fits(match: HttpRouteMatch, request: Parameters<typeof backendOf>[1]): boolean {
  const { type, value } = match.path
  const onPath =
    type === 'Exact' ? request.path === value : request.path === value || request.path.startsWith(`${value}/`)
  const onHeaders = (match.headers ?? []).every(({ name, value: wanted }) => request.headers?.[name] === wanted)
  return onPath && onHeaders && (match.method === undefined || match.method === request.method)
}

function rankOf({ path, method, headers = [] }: HttpRouteMatch): readonly number[] {
  return [path.type === 'Exact' ? 1 : 0, path.value.length, method === undefined ? 0 : 1, headers.length]
}

function compareRanks(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((value, index) => value !== other[index])
  return at === -1 ? 0 : (one[at] ?? 0) - (other[at] ?? 0)
}
