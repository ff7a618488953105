import type { EventTypeDescription, NewEvent } from '@ariftly/sdk'
import { CliError } from '../../errors/cli-error.ts'
import { checkMembers, type DataSchema } from './check-members.ts'
import { isObject, mergeDeep, objectAt, type JsonObject } from './merge.ts'
import { meant, nearestOf } from '@ariftly/events/nearest-of'

/** What replaces members of the examples of the catalogue. */
export interface Overrides {
  /** `data.progress=0.4`: a path and JSON, or text where it is none. */
  readonly sets: readonly string[]
  /** Replaces members of the data; undefined for nothing. */
  readonly data: unknown
  readonly task: string | undefined
  readonly session: string | undefined
  readonly agent: string | undefined
  readonly allowUnknown: boolean
  /** Makes the id of a task or a session that was not given. */
  newId(prefix: string): string
}

/** Members of an event other than `data` that may be set. */
const ENVELOPE = ['task_id', 'session_id', 'agent', 'created_at', 'id', 'idempotency_key']

/**
 * The events of `types`, in that order, about one task or session: the catalogue's examples with what was asked for on top. Where there is more than
 * one, an override goes to those whose data has such a member. Throws a CliError for a type, a member or a path that the catalogue does not have.
 */
export function buildEvents(
  types: readonly string[],
  catalogue: readonly EventTypeDescription[],
  overrides: Overrides,
): readonly NewEvent[] {
  const entries = types.map((type) => findEntry(type, catalogue))
  const task = overrides.task ?? overrides.newId('task')
  const session = overrides.session ?? overrides.newId('session')
  const changes = [...changesOf(overrides.data), ...overrides.sets.map(parseSet)]
  const events = entries.map((entry): JsonObject => ({
    ...envelopeOf(entry.type, task, session, overrides),
    data: entry.example,
  }))
  for (const change of changes) applyChange(events, entries, change, overrides.allowUnknown)
  return events as unknown as readonly NewEvent[]
}

/** A value for a member of the event. */
interface Change {
  readonly path: readonly string[]
  readonly value: unknown
}

/** Changes the events in place that have such a member. */
function applyChange(
  events: JsonObject[],
  entries: readonly EventTypeDescription[],
  { path, value }: Change,
  allowUnknown: boolean,
): void {
  const [first, member] = path
  const isOf = (entry: EventTypeDescription) => first !== 'data' || hasMember(entry, member ?? '')
  // A member that no event has is set in all: to be refused, or because unknown members were asked for.
  const isOfSome = entries.some(isOf)
  for (const [at, entry] of entries.entries()) {
    if (isOfSome && !isOf(entry)) continue
    const change = objectAt(path, value)
    if (first === 'data' && !allowUnknown) {
      checkMembers(entry.type, entry.schema, (change as { readonly data: unknown }).data)
    }
    events[at] = mergeDeep(events[at], change) as JsonObject
  }
}

/** Each member of `--data` is a change of its own: in a scenario they may belong to different events. */
function changesOf(data: unknown): readonly Change[] {
  if (data === undefined) return []
  if (isObject(data)) return Object.entries(data).map(([name, value]) => ({ path: ['data', name], value }))
  throw new CliError('invalid_option', '--data must be a JSON object.', { pointer: '--data' })
}

function parseSet(text: string): Change {
  const at = text.indexOf('=')
  const path = text.slice(0, Math.max(0, at)).split('.')
  const [first = ''] = path
  const isTaken =
    first === 'data' ? path.length > 1 && !path.includes('') : path.length === 1 && ENVELOPE.includes(first)
  if (at > 0 && isTaken) return { path, value: valueOf(text.slice(at + 1)) }
  const names = `data.<member>, or ${ENVELOPE.join(', ')}`
  throw new CliError(
    'unknown_member',
    `--set ${text} sets no member of an event.${meant(nearestOf(path.join('.'), ENVELOPE))}`,
    {
      pointer: '--set',
      remedy: `Write <name>=<value>; names are ${names}.`,
    },
  )
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function findEntry(type: string, catalogue: readonly EventTypeDescription[]): EventTypeDescription {
  const found = catalogue.find((entry) => entry.type === type)
  if (found !== undefined) return found
  const nearest = nearestOf(
    type,
    catalogue.map((entry) => entry.type),
  )
  throw new CliError('unknown_type', `There is no event type ${type}.${meant(nearest)}`, {
    pointer: '<type>',
    remedy: 'See ariftly types.',
  })
}

/** Events of a session are in its list, the others in that of the task. */
function envelopeOf(
  type: string,
  task: string,
  session: string,
  { task: givenTask, session: givenSession, agent }: Overrides,
): JsonObject {
  const isOfSession = type.startsWith('session.')
  return {
    type,
    ...(isOfSession && givenTask === undefined ? {} : { task_id: task }),
    ...(isOfSession || givenSession !== undefined ? { session_id: session } : {}),
    agent: agent ?? 'ariftly-cli',
  }
}

function hasMember({ schema }: EventTypeDescription, name: string): boolean {
  const { properties } = schema as DataSchema
  return properties === undefined || Object.hasOwn(properties, name)
}
