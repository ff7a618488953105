import type { TSchema } from '@sinclair/typebox'
import { examplePage, exampleResults, exampleWholeList, serviceAnswers } from '../examples/service-answers.ts'
import { API_VERSION } from './info.ts'
import type { Answer, Example } from './operation.ts'

const EXAMPLES: Readonly<Record<string, unknown>> = serviceAnswers(API_VERSION)

/** Lists that are always one page. */
const WHOLE: ReadonlySet<string> = new Set(['EventTypeDescription', 'ProblemKind'])

/** Examples of an answer, as the services render it; none for what is no JSON object of ours. */
export function answerExamples(schema: TSchema, status: Answer['status']): readonly Example[] {
  const name = nameOf(schema)
  if (name === 'IngestResults')
    return [{ name: 'results', summary: 'An answer', value: exampleResults(status === 207 ? 207 : 202) }]
  if (name !== undefined) return examplesOf(name, (value) => value)
  const item = nameOf((schema as ListSchema).properties?.data?.items ?? {})
  if (item === undefined) return []
  return examplesOf(item, WHOLE.has(item) ? exampleWholeList : examplePage)
}

function examplesOf(name: string, wrap: (value: unknown) => unknown): readonly Example[] {
  if (!(name in EXAMPLES)) return []
  const plain = { name: 'answer', summary: 'An answer', value: wrap(EXAMPLES[name]) }
  if (name !== 'Event') return [plain]
  const value = wrap(EXAMPLES['EventWithIncluded'])
  return [plain, { name: 'include', summary: 'With include=log,deliveries', value }]
}

interface ListSchema {
  readonly properties?: { readonly data?: { readonly items?: object } }
}

/** The component that a schema refers to. */
function nameOf(schema: object): string | undefined {
  return '$ref' in schema && typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined
}
