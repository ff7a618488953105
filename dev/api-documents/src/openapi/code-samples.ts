import type { NamedRoute } from '@ariftly/http'
import type { CodeSample } from './document.ts'
import type { Content } from './operation.ts'

interface Call {
  readonly method: string
  /** The path of the URL, below `ARIFTLY_URL`. */
  readonly path: string
  readonly withKey: boolean
  /** Content type and text of the first example of the body. */
  readonly body: { readonly type: string; readonly text: string } | undefined
  readonly streams: boolean
}

/**
 * How to call a route from a shell, TypeScript and Python, with the first example of its body and without a library of ours. The address
 * is that of `ARIFTLY_URL`: the document is the same for every installation. `/docs` shows the address of the page in its place.
 */
export function codeSamples(
  route: NamedRoute,
  o: { readonly path: string; readonly body: Content | undefined },
): readonly CodeSample[] {
  const call: Call = {
    method: route.method,
    path: o.path,
    withKey: route.scope !== 'none',
    body: o.body === undefined ? undefined : { type: o.body.type, text: textOf(o.body) },
    streams: route.noHead === true,
  }
  return [
    { lang: 'Shell', label: 'Shell', source: curl(call) },
    { lang: 'TypeScript', label: 'TypeScript', source: typescript(call) },
    { lang: 'Python', label: 'Python', source: python(call) },
  ]
}

function textOf({ type, examples = [] }: Content): string {
  const value = examples[0]?.value ?? {}
  if (typeof value === 'string') return value
  return type === 'application/x-www-form-urlencoded'
    ? new URLSearchParams(value as Record<string, string>).toString()
    : JSON.stringify(value)
}

function headersOf({ withKey, body }: Call, key: string): readonly (readonly [string, string])[] {
  return [
    ...(withKey ? [['Authorization', key] as const] : []),
    ...(body === undefined ? [] : [['Content-Type', body.type] as const]),
  ]
}

function curl(call: Call): string {
  const { method, path, body, streams } = call
  const isDefault = method === (body === undefined ? 'GET' : 'POST')
  return [
    `curl ${streams ? '-N ' : ''}${isDefault ? '' : `-X ${method} `}$ARIFTLY_URL${path}`,
    ...headersOf(call, 'Bearer $ARIFTLY_API_KEY').map(([name, value]) => `-H "${name}: ${value}"`),
    ...(body === undefined ? [] : [`-d '${body.text.replaceAll("'", String.raw`'\''`)}'`]),
  ].join(' \\\n  ')
}

function typescript(call: Call): string {
  const { method, path, body } = call
  const headers = headersOf(call, '`Bearer ${process.env.ARIFTLY_API_KEY}`').map(
    ([name, value]) =>
      `${name === 'Authorization' ? name : JSON.stringify(name)}: ${value.startsWith('`') ? value : JSON.stringify(value)}`,
  )
  const options = [
    ...(method === 'GET' ? [] : [`method: ${JSON.stringify(method)}`]),
    ...(headers.length === 0 ? [] : [`headers: { ${headers.join(', ')} }`]),
    ...(body === undefined ? [] : [`body: ${JSON.stringify(body.text)}`]),
  ]
  const init = options.length === 0 ? '' : `, {\n${options.map((line) => `  ${line},\n`).join('')}}`
  return `const response = await fetch(\`\${process.env.ARIFTLY_URL}${path}\`${init})\nconsole.log(response.status, await response.text())`
}

function python(call: Call): string {
  const { method, path, body } = call
  const headers = headersOf(call, 'f"Bearer {os.environ[\'ARIFTLY_API_KEY\']}"').map(
    ([name, value]) => `${JSON.stringify(name)}: ${value.startsWith('f"') ? value : JSON.stringify(value)}`,
  )
  const parameters = [
    `f"{os.environ['ARIFTLY_URL']}${path}"`,
    `method=${JSON.stringify(method)}`,
    ...(headers.length === 0 ? [] : [`headers={${headers.join(', ')}}`]),
    ...(body === undefined ? [] : [`data=${JSON.stringify(body.text)}.encode()`]),
  ]
  return [
    'import os, urllib.request',
    '',
    'request = urllib.request.Request(',
    ...parameters.map((parameter) => `    ${parameter},`),
    ')',
    'with urllib.request.urlopen(request) as response:',
    '    print(response.status, response.read().decode())',
  ].join('\n')
}
