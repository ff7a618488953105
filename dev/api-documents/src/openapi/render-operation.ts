import { isAdministrativeWrite, type NamedRoute } from '@ariftly/http'
import { Type } from '@sinclair/typebox'
import type { OpenapiContent, OpenapiOperation, OpenapiParameter } from './document.ts'
import type { Answer, AnswerHeader, Content, OperationDoc, ProblemAnswer, QueryParameter } from './operation.ts'
import { problemExample } from '../examples/service-answers.ts'
import { answerExamples } from './answer-examples.ts'
import { codeSamples } from './code-samples.ts'
import { ref } from './schema-ref.ts'

/** An operation of the document: what the route table says, and what its doc adds. */
export function renderOperation(route: NamedRoute, doc: OperationDoc): OpenapiOperation {
  const { body, query = [], headers = [] } = doc
  const parameters = [
    ...pathParameters(route),
    ...query.map((parameter) => render('query', parameter)),
    ...headers.map((parameter) => render('header', parameter)),
    ...(route.idempotent === true ? [render('header', IDEMPOTENCY_KEY)] : []),
  ]
  return {
    operationId: route.name,
    summary: route.summary,
    description: [doc.description, scopeSentence(route)].filter((text) => text !== '').join('\n\n'),
    tags: [doc.tag],
    ...(route.scope === 'none' ? { security: [] } : securityOf(route)),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: body.required, content: contentOf(body.content) } }),
    'x-codeSamples': codeSamples(route, { path: filledPath(route), body: body?.content[0] }),
    responses: {
      ...Object.fromEntries(doc.answers.map((answer) => renderAnswer(route, answer))),
      ...problems(route, doc),
    },
  } as OpenapiOperation
}

function scopeSentence({ scope }: NamedRoute): string {
  if (scope === 'none') return ''
  return scope === 'any' ? 'Needs any valid key.' : `Needs the scope \`${scope}\`.`
}

function securityOf({ service, path }: NamedRoute): object {
  return service === 'stream-gateway' && path.endsWith('/stream')
    ? { security: [{ apiKey: [] }, { streamToken: [] }] }
    : {}
}

const PATH_PARAMETERS: Readonly<Record<string, readonly [prefix: string, example: string]>> = {
  '/v1/events/': ['evt', 'evt_01m88y3fz3eeksq399rkr6wnx3'],
  '/v1/deliveries/': ['dlv', 'dlv_01m88y3fz3eeksq399rkr6wnx3'],
  '/v1/redeliveries/': ['rdl', 'rdl_01m88y3fz3eeksq399rkr6wnx3'],
  '/v1/webhooks/': ['whk', 'whk_01m88y3fz3eeksq399rkr6wnx3'],
  '/v1/api-keys/': ['key', 'key_01m88y3fz3eeksq399rkr6wnx3'],
}

const TENANT_PATH = '/v1/tenants/'

function pathParameters({ path }: NamedRoute): readonly OpenapiParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => {
    const [, [prefix, example] = ['rpl', 'rpl_01m88y3fz3eeksq399rkr6wnx3']] =
      name === 'id' ? (Object.entries(PATH_PARAMETERS).find(([start]) => path.startsWith(start)) ?? []) : []
    if (path.startsWith('/problems/'))
      return { ...pathParameter(name, 'The `code` of a problem.'), example: 'not_found' }
    if (path.startsWith('/docs/guides/'))
      return { ...pathParameter(name, 'The name of a guide.'), example: 'producing' }
    if (path.startsWith(TENANT_PATH)) return { ...pathParameter(name, 'The id of the tenant.'), example: 'acme' }
    return { ...pathParameter(name, `An id \`${prefix}_…\`.`), example }
  })
}

function pathParameter(name: string, description: string): OpenapiParameter {
  return { name, in: 'path', required: true, description, schema: { type: 'string' } } as OpenapiParameter
}

/** The path with the examples of its parameters. */
function filledPath(route: NamedRoute): string {
  return pathParameters(route).reduce(
    (path, { name, example }) => path.replace(`{${name}}`, String(example)),
    route.path,
  )
}

function render(place: 'query' | 'header', parameter: QueryParameter): OpenapiParameter {
  const { name, description, schema, example, commaList } = parameter
  return {
    name,
    in: place,
    description,
    schema,
    ...(commaList === true ? { style: 'form', explode: false } : {}),
    ...(example === undefined ? {} : { example }),
  } as OpenapiParameter
}

function renderAnswer(route: NamedRoute, answer: Answer): readonly [string, object] {
  const { status, description, content, headers = [] } = answer
  return [
    String(status),
    {
      description,
      headers: headersOf([...headers, ...(route.idempotent === true ? [REPLAYED] : []), REQUEST_ID]),
      ...(content === undefined ? {} : { content: contentOf(content.map((each) => withExamples(each, status))) }),
    },
  ]
}

function withExamples(content: Content, status: Answer['status']): Content {
  const { type, schema, examples } = content
  if (type !== 'application/json' || schema === undefined || examples !== undefined) return content
  return { ...content, examples: answerExamples(schema, status) }
}

const IDEMPOTENCY_KEY: QueryParameter = {
  name: 'Idempotency-Key',
  description:
    'Makes a repeat safe: for 24 hours the same request with the same key of yours gets the first answer again, and another request is 422. Only 2xx are kept.',
  schema: Type.String({ minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' }),
}

const REPLAYED: AnswerHeader = {
  name: 'Idempotent-Replayed',
  description: '`true` when this is the kept first answer.',
  schema: Type.String(),
}

const REQUEST_ID: AnswerHeader = {
  name: 'X-Request-Id',
  description: 'The id that you sent, otherwise a new one.',
  schema: Type.String(),
}

function headersOf(headers: readonly AnswerHeader[]): object {
  return Object.fromEntries(headers.map(({ name, description, schema }) => [name, { description, schema }]))
}

function contentOf(content: readonly Content[]): Readonly<Record<string, OpenapiContent>> {
  return Object.fromEntries(
    content.map(({ type, schema, examples = [] }) => [
      type,
      {
        ...(schema === undefined ? {} : { schema }),
        ...(examples.length === 0
          ? {}
          : { examples: Object.fromEntries(examples.map(({ name, summary, value }) => [name, { summary, value }])) }),
      },
    ]),
  )
}

const TITLES: Readonly<Record<ProblemAnswer['status'], string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  408: 'Request Timeout',
  409: 'Conflict',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
}

const WITH_KEY: readonly ProblemAnswer[] = [
  { status: 400, codes: ['invalid_parameter'] },
  { status: 401, codes: ['missing_api_key', 'invalid_api_key'] },
  { status: 403, codes: ['tenant_suspended'] },
  { status: 503, codes: ['authentication_unavailable', 'unavailable'] },
]
const WITH_SCOPE: ProblemAnswer = { status: 403, codes: ['missing_scope'] }
const PACED: ProblemAnswer = { status: 429, codes: ['too_many_writes'] }
const IDEMPOTENT: readonly ProblemAnswer[] = [
  { status: 409, codes: ['idempotency_key_in_use', 'idempotent_answer_lost'] },
  { status: 422, codes: ['idempotency_key_reused'] },
]

/** Those of the doc and those of every route with a key, one answer a status. */
function problems(route: NamedRoute, doc: OperationDoc): Readonly<Record<string, object>> {
  const { scope } = route
  const common = [
    ...(scope === 'none' ? [] : WITH_KEY),
    ...(scope === 'none' || scope === 'any' ? [] : [WITH_SCOPE]),
    ...(isAdministrativeWrite(route) || route.idempotent === true ? [PACED] : []),
    ...(route.idempotent === true ? IDEMPOTENT : []),
  ]
  const byStatus = new Map<ProblemAnswer['status'], MergedProblem>()
  for (const { status, codes, description, headers = [], asPage } of [...doc.problems, ...common]) {
    const known = byStatus.get(status) ?? { codes: [], headers: [] }
    byStatus.set(status, {
      codes: [...new Set([...known.codes, ...codes])],
      headers: [...known.headers, ...headers],
      description: known.description ?? description ?? TITLES[status],
      asPage: known.asPage ?? asPage ?? false,
    })
  }
  const entries = [...byStatus].toSorted(([one], [other]) => one - other)
  return {
    ...Object.fromEntries(entries.map(([status, problem]) => [String(status), renderProblem(status, problem)])),
    default: { description: 'Any other problem.', content: { 'application/problem+json': { schema: ref('Problem') } } },
  }
}

interface MergedProblem {
  readonly codes: readonly string[]
  readonly headers: readonly AnswerHeader[]
  readonly description?: string
  readonly asPage?: boolean
}

function renderProblem(
  status: ProblemAnswer['status'],
  { codes, headers, description = '', asPage = false }: MergedProblem,
): object {
  const retry = status === 429 || status === 503
  const [code = 'error'] = codes
  const value = problemExample(code) ?? {}
  return {
    description: `${description}${description.endsWith('.') ? '' : '.'} Codes: ${codes.map((each) => `\`${each}\``).join(', ')}.`,
    headers: {
      ...headersOf([...headers, REQUEST_ID]),
      ...(retry ? { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } } : {}),
      ...(status === 401 ? { 'WWW-Authenticate': { description: 'RFC 6750.', schema: { type: 'string' } } } : {}),
    },
    content: {
      'application/problem+json': { schema: ref('Problem'), examples: { [code]: { value } } },
      ...(asPage ? { 'text/html': { schema: { type: 'string' } } } : {}),
    },
  }
}
