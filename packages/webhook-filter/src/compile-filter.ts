import {
  dataPath,
  type FilterCondition,
  type FilterOperators,
  type FilterScalar,
  type WebhookFilter,
} from './filter.ts'

/** The members of an event that filters use, besides its payload. */
export interface FilteredEvent {
  readonly type: string
  readonly agent?: string | null | undefined
  readonly taskId?: string | null | undefined
  readonly sessionId?: string | null | undefined
}

/** Reads the parsed payload. Called only for filters that use it, at most once an evaluation. */
interface FilteredPayload {
  data(): unknown
}

/** A compiled filter. */
export interface CompiledFilter {
  /** Whether it uses `data`. */
  readonly needsData: boolean
  readonly matches: (event: FilteredEvent, payload: FilteredPayload) => boolean
}

/** An event with its payload read at most once. */
interface Subject {
  readonly event: FilteredEvent
  readonly data: () => unknown
}

type Test<T> = (value: T) => boolean

/** Turns a valid filter (see `validateFilter`) into tests that are joined once, so that an event costs comparisons alone. */
export function compileFilter(filter: WebhookFilter): CompiledFilter {
  const test = compileMembers(filter)
  return {
    needsData: looksAtData(filter),
    matches: (event, payload) => test({ event, data: once(() => payload.data()) }),
  }
}

function once(read: () => unknown): () => unknown {
  let value: { readonly data: unknown } | undefined
  return () => (value ??= { data: read() }).data
}

function looksAtData(filter: WebhookFilter): boolean {
  return Object.entries(filter).some(([key, member]) =>
    Array.isArray(member) ? (member as readonly WebhookFilter[]).some(looksAtData) : dataPath(key) !== undefined,
  )
}

function compileMembers(filter: WebhookFilter): Test<Subject> {
  const tests = Object.entries(filter).map(([key, member]) => {
    if (!Array.isArray(member)) return compileMember(key, member as FilterCondition)
    return (key === '$and' ? all : any)((member as readonly WebhookFilter[]).map(compileMembers))
  })
  return all(tests)
}

function compileMember(key: string, condition: FilterCondition): Test<Subject> {
  const read = readerOf(key)
  const test = compileCondition(condition)
  return (subject) => test(read(subject))
}

/** Reads the member that a key names; undefined when it is missing. */
function readerOf(key: string): (subject: Subject) => unknown {
  const path = dataPath(key)
  if (path !== undefined) return ({ data }) => path.reduce(memberOf, data())
  if (key === 'type') return ({ event }) => event.type
  if (key === 'agent') return ({ event }) => event.agent ?? undefined
  if (key === 'task_id') return ({ event }) => event.taskId ?? undefined
  return ({ event }) => event.sessionId ?? undefined
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined
  return (value as Readonly<Record<string, unknown>>)[name]
}

function compileCondition(condition: FilterCondition): Test<unknown> {
  if (typeof condition !== 'object' || condition === null) return (value) => value === condition
  return all(Object.entries(condition).map(([operator, operand]) => compileOperator(operator, operand)))
}

function compileOperator(operator: string, operand: FilterOperators[keyof FilterOperators]): Test<unknown> {
  if (operator === '$exists') return (value) => (value !== undefined) === operand
  if (operator === '$in') {
    const values = new Set(operand as readonly FilterScalar[])
    return (value) => values.has(value as FilterScalar)
  }
  if (operator === '$not') {
    const test = compileCondition(operand as FilterCondition)
    return (value) => !test(value)
  }
  return compileComparison(operator, operand as FilterScalar)
}

/** Values of different types never match; numbers compare as doubles, strings by UTF-16 code unit. */
function compileComparison(operator: string, operand: FilterScalar): Test<unknown> {
  if (operator === '$eq') return (value) => value === operand
  const type = typeof operand
  const compares = COMPARISONS[operator]
  if (compares === undefined || operand === null) throw new TypeError(`no operator: ${operator}`)
  return (value) => typeof value === type && compares(value as string | number, operand as string | number)
}

const COMPARISONS: Readonly<Record<string, (value: string | number, operand: string | number) => boolean>> = {
  $gt: (value, operand) => value > operand,
  $gte: (value, operand) => value >= operand,
  $lt: (value, operand) => value < operand,
  $lte: (value, operand) => value <= operand,
}

function all<T>(tests: readonly Test<T>[]): Test<T> {
  const [only] = tests
  if (tests.length === 1 && only !== undefined) return only
  return (value) => tests.every((test) => test(value))
}

function any<T>(tests: readonly Test<T>[]): Test<T> {
  return (value) => tests.some((test) => test(value))
}
