import { PROBLEMS } from '@ariftly/http/problem-catalogue'
import { ApiError, AriftlyError, ConnectionError, EventRefusedError, TimeoutError } from '@ariftly/sdk'
import type { Output } from '../terminal/output.ts'
import { show, type Shown } from '../terminal/show.ts'
import { CliError } from '../errors/cli-error.ts'
import { EXIT, type ExitCode } from '../errors/exit-code.ts'

/** An error in the form that `--json` prints, one object on standard error (`cli:Error` of the schemas). */
export interface ErrorReport {
  readonly code: string
  readonly message: string
  /** HTTP status of the answer. */
  readonly status?: number
  /** JSON pointer, parameter or option of what is wrong. */
  readonly pointer?: string
  /** All that is wrong, when the API names more than one thing. */
  readonly errors?: readonly { readonly pointer: string; readonly code: string; readonly message: string }[]
  readonly remedy?: string
  readonly request_id?: string
  /** Page of the problem. */
  readonly page?: string
  readonly exit_code: ExitCode
}

/** A shorter text is no key, and would be found inside words. */
const SECRET_MIN = 8

/** What a command failed with; `secrets` are taken out of every text, should an answer repeat them. `url` is that of the API. */
export function describeError(error: unknown, url: string | undefined, secrets: readonly string[]): ErrorReport {
  const report = describe(error, url)
  return JSON.parse(withoutSecrets(JSON.stringify(report), secrets)) as ErrorReport
}

/** Prints an error: as JSON, or as lines for a person. */
export async function printError(report: ErrorReport, err: Output, json: boolean): Promise<void> {
  if (json) {
    await err.json({ error: report })
    return
  }
  const { bold, dim, red } = err.paint
  const lines: (Shown | undefined)[] = [
    show`${red(bold('error'))} ${bold(report.code)}: ${report.message}`,
    report.pointer === undefined ? undefined : show`  at       ${report.pointer}`,
    ...(report.errors ?? []).map(({ pointer, message }) => show`  at       ${pointer} ${message}`),
    report.remedy === undefined ? undefined : show`  remedy   ${report.remedy}`,
    report.request_id === undefined ? undefined : show`  request  ${dim(report.request_id)}`,
    report.page === undefined ? undefined : show`  see      ${dim(report.page)}`,
  ]
  for (const line of lines) if (line !== undefined) await err.line(line)
}

function describe(error: unknown, url: string | undefined): ErrorReport {
  if (error instanceof CliError) {
    const { code, message, pointer, remedy, exit } = error
    return { code, message, ...defined({ pointer, remedy }), exit_code: exit }
  }
  if (error instanceof ApiError) return describeApiError(error, url)
  if (error instanceof AriftlyError) {
    const [refusal] = error instanceof EventRefusedError ? error.refusals : []
    return {
      code: error.code,
      message: refusal?.message ?? error.message,
      ...defined({ pointer: refusal?.pointer, remedy: remedyOf(error, url), request_id: error.requestId }),
      exit_code: EXIT.failed,
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: codeOfUnknown(error), message, exit_code: EXIT.failed }
}

function describeApiError(error: ApiError, url: string | undefined): ErrorReport {
  const { status, code, problem, requestId } = error
  const named = error.errors.map((one) => ({
    pointer: one.pointer ?? one.parameter ?? '',
    code: one.code,
    message: one.message,
  }))
  const [only] = named
  const one = named.length === 1 ? only : undefined
  const text = [problem?.detail ?? problem?.title ?? error.message, one?.message].filter(Boolean).join(' ')
  return {
    code,
    message: text,
    status,
    ...defined({ pointer: one?.pointer, errors: named.length > 1 ? named : undefined }),
    ...defined({ remedy: apiRemedy(error), request_id: requestId, page: pageOf(problem?.type, url) }),
    exit_code: status === 401 || status === 403 ? EXIT.needsKey : EXIT.failed,
  }
}

/** What to do on the command line, otherwise what the page of the problem says. */
function apiRemedy({ status, code, retryAfterMs }: ApiError): string | undefined {
  if (status === 401) return 'Use a key that is valid: set ARIFTLY_API_KEY, or run ariftly login.'
  if (code === 'missing_scope') return 'Use a key with that scope; ariftly whoami shows the scopes of this one.'
  if (code === 'not_found') return 'Check the id and the tenant of the key: ariftly whoami shows it.'
  if (retryAfterMs !== undefined) return `Try again in ${Math.ceil(retryAfterMs / 1000)} s.`
  const known = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code]?.fix : undefined
  return known ?? (status >= 500 ? 'Try again later; ariftly doctor shows what works.' : undefined)
}

function remedyOf(error: AriftlyError, url: string | undefined): string | undefined {
  if (error instanceof ConnectionError || error instanceof TimeoutError) {
    return `Check that ${url ?? 'the API'} is right and can be reached: ariftly doctor`
  }
  return undefined
}

/** The type of a problem is a path of the API. Others than pages of http are not shown as such. */
function pageOf(type: string | undefined, url: string | undefined): string | undefined {
  if (type === undefined || type === 'about:blank' || url === undefined || !URL.canParse(type, url)) return undefined
  const page = new URL(type, url)
  return /^https?:$/.test(page.protocol) ? page.href : undefined
}

function codeOfUnknown(error: unknown): string {
  const code = (error as { readonly code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code.toLowerCase() : 'unexpected_error'
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  const long = secrets.filter(({ length }) => length >= SECRET_MIN)
  return long.reduce((rest, secret) => rest.replaceAll(JSON.stringify(secret).slice(1, -1), '[key]'), text)
}

function defined<T extends object>(members: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(members).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> }
}
