import { ROUTES } from '@ariftly/http'

/** A call that a page names: `GET /v1/events`, a curl line, or a path alone (`method` undefined). */
export interface NamedCall {
  readonly method: string | undefined
  /** Without query. Starts with `…` where the page omits the start. */
  readonly path: string
}

const METHODS = 'GET|POST|PUT|PATCH|DELETE'
/** Of other products: where OpenTelemetry's collectors take traces. */
const FOREIGN: ReadonlySet<string> = new Set(['/v1/traces'])
const PATH = String.raw`[\w{}./<>$-]+`

/** Every call to the public API that a page names, in order, curl lines included. */
export function namedCalls(text: string): readonly NamedCall[] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ')
  const spoken = [...joined.matchAll(new RegExp(String.raw`\b(${METHODS}) (…?/${PATH})`, 'g'))].map(
    ([, method, path = '']) => ({ method, path: withoutDot(path) }),
  )
  const curls = [...joined.matchAll(/\bcurl [^\n]*/g)].flatMap(([line]) => callOfCurl(line) ?? [])
  const alone = [...joined.matchAll(new RegExp(String.raw`(?<![\w./-])/v1/${PATH}`, 'g'))].map(([path]) => ({
    method: undefined,
    path: withoutDot(path),
  }))
  return [...spoken, ...curls, ...alone].filter(({ path }) => !FOREIGN.has(path))
}

/** Whether the route table has the call. A path that ends with `/` is a prefix. */
export function isOnRouteTable({ method, path }: NamedCall): boolean {
  return ROUTES.some((route) => (method === undefined || route.method === method) && fits(path, route.path))
}

function callOfCurl(line: string): NamedCall | undefined {
  const path = /(?:https?:\/\/[\w.:$-]+|\$ARIFTLY_URL)(\/v1\/[\w{}./<>$-]*)/.exec(line)?.[1]
  if (path === undefined) return undefined
  const sendsBody = / (?:-d|--data[\w-]*|--json) ?/.test(line) && !/ (?:-G|--get) /.test(line)
  return { method: / -X ?([A-Z]+)/.exec(line)?.[1] ?? (sendsBody ? 'POST' : 'GET'), path }
}

function fits(path: string, route: string): boolean {
  const named = path.replace(/^…\//, '').split('/')
  const wanted = route.split('/')
  if (path.startsWith('…')) wanted.splice(0, wanted.length - named.length)
  if (path.endsWith('/')) {
    named.pop()
    wanted.splice(named.length)
  }
  return named.length === wanted.length && wanted.every((part, index) => part.startsWith('{') || part === named[index])
}

/** A sentence may end after a path. */
function withoutDot(path: string): string {
  return path.replace(/\.$/, '')
}
