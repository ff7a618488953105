/** The same request in three forms. */
export interface Forms {
  readonly curl: string
  readonly cli: string
  readonly sdk: string
}

/** A request of the API, as the pages make it. */
export interface ShownRequest {
  readonly path: string
  /** Values that are not set are left out. */
  readonly query: Readonly<Record<string, string | number | readonly string[] | undefined>>
  /** `events list` of `ariftly events list`. */
  readonly command: string
  /** `events.list` of `client.events.list(…)`. */
  readonly method: string
  /** What command and method take before the query: the ids of the path. */
  readonly args?: readonly string[]
  /** What the command takes in place of them and of the query. */
  readonly commandArgs?: readonly string[]
}

/** Options of the command line that are not named as the parameter. */
const OPTIONS: Readonly<Record<string, string>> = {
  task_id: 'task',
  session_id: 'session',
  webhook_id: 'webhook',
  event_id: 'event',
  types: 'type',
  after: 'since',
}

/** The request as curl, CLI and SDK; the address is that of the page. */
export function requestForms({ path, query, command, method, args = [], commandArgs }: ShownRequest): Forms {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && textOf(value) !== '')
  const search = set.map(([name, value]) => `${name}=${encodeURIComponent(textOf(value))}`).join('&')
  const url = `$ARIFTLY_URL${path}${search === '' ? '' : `?${search}`}`
  const options = set.flatMap(([name, value]) => [
    `--${OPTIONS[name] ?? name.replaceAll('_', '-')}`,
    quoted(textOf(value)),
  ])
  const words = commandArgs?.map(quoted) ?? [...args.map(quoted), ...options]
  const values = set.length === 0 ? args : [...args, Object.fromEntries(set)]
  const call = `client.${method}(${values.map((value) => JSON.stringify(value, null, 2)).join(', ')})`
  return {
    curl: `curl -H "Authorization: Bearer $ARIFTLY_API_KEY" "${url}"`,
    cli: ['ariftly', command, ...words].join(' '),
    sdk: `import { Ariftly } from '@ariftly/sdk'\n\nconst client = new Ariftly()\nconst result = ${call}`,
  }
}

function textOf(value: ShownRequest['query'][string]): string {
  return Array.isArray(value) ? value.join(',') : String(value ?? '')
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w.,:/@+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
