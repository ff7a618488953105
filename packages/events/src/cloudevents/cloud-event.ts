import { createHash } from 'node:crypto'
import { type EventType, isSessionType } from '../event-type.ts'
import { typeIdMs } from '../typeid.ts'
import type { EntryError } from '../validation/validation.ts'

/** A posted CloudEvent 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md */
export interface CloudEvent {
  /** Attributes and extensions by name, in lower case. Values that are no text are left out. */
  readonly attributes: ReadonlyMap<string, string>
  /** Well-formed JSON in UTF-8; undefined when there is none. */
  readonly data: Buffer | undefined
}

/** What is wrong with an attribute, or with `data`. */
interface AttributeError {
  readonly attribute: string
  readonly code: EntryError['code']
  readonly message: string
}

/** The event in our own JSON form, with the bytes of `data` unchanged; or why there is none. */
export type NewEventText =
  { readonly ok: true; readonly text: Buffer } | { readonly ok: false; readonly error: AttributeError }

/** Attributes that every CloudEvent must have. */
const REQUIRED = ['specversion', 'id', 'source', 'type'] as const
/** A media type of JSON (RFC 8259, RFC 6839), in UTF-8. */
const JSON_TYPE = /^[\w.+-]+\/(?:[\w.-]+\+)?json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i

/** Whether data of this content type is JSON. */
export function isJsonContentType(type: string): boolean {
  return JSON_TYPE.test(type.trim())
}

/**
 * Translates a CloudEvent: `taskid`, otherwise `subject`, is the task (of `session.*` without `taskid`, `subject` is the session). An id that
 * is no `evt_…` is joined with `source` to an idempotency key, for which `time` is needed. Other extensions are ignored.
 */
export function newEventText({ attributes, data }: CloudEvent): NewEventText {
  const error = checkAttributes(attributes)
  if (error !== undefined) return { ok: false, error }
  const head = JSON.stringify({
    type: attributes.get('type'),
    ...namesOf(attributes),
    agent: attributes.get('agent'),
    created_at: attributes.get('time'),
    ...identityOf(attributes),
  })
  const start = Buffer.from(`${head.slice(0, -1)}${data === undefined ? '' : ',"data":'}`)
  return { ok: true, text: Buffer.concat([start, data ?? Buffer.alloc(0), CLOSE]) }
}

const CLOSE = Buffer.from('}')

function checkAttributes(attributes: ReadonlyMap<string, string>): AttributeError | undefined {
  for (const attribute of REQUIRED) {
    if ((attributes.get(attribute) ?? '') === '') return { attribute, code: 'required', message: 'is required' }
  }
  if (attributes.get('specversion') !== '1.0')
    return { attribute: 'specversion', code: 'invalid_value', message: 'must be 1.0' }
  if (attributes.has('tenant'))
    return { attribute: 'tenant', code: 'unknown_member', message: 'is not taken: the API key says whose event it is' }
  if (attributes.has('data_base64'))
    return { attribute: 'data_base64', code: 'unknown_member', message: 'is not taken: data must be a JSON object' }
  const type = attributes.get('datacontenttype')
  if (type !== undefined && !isJsonContentType(type))
    return { attribute: 'datacontenttype', code: 'invalid_value', message: 'must be JSON in UTF-8, or absent' }
  if (!isOurs(attributes) && !attributes.has('time'))
    return { attribute: 'time', code: 'required', message: 'is required unless id is the id of an event (evt_…)' }
  return undefined
}

function namesOf(attributes: ReadonlyMap<string, string>): {
  task_id: string | undefined
  session_id: string | undefined
} {
  const [taskId, sessionId, subject] = [
    attributes.get('taskid'),
    attributes.get('sessionid'),
    attributes.get('subject'),
  ]
  return subjectIsSession(attributes)
    ? { task_id: taskId, session_id: sessionId ?? subject }
    : { task_id: taskId ?? subject, session_id: sessionId }
}

function subjectIsSession(attributes: ReadonlyMap<string, string>): boolean {
  return !attributes.has('taskid') && isSessionType((attributes.get('type') ?? '') as EventType)
}

function isOurs(attributes: ReadonlyMap<string, string>): boolean {
  return typeIdMs('evt', attributes.get('id') ?? '') !== undefined
}

/** CloudEvents are unique by source and id together. The digest keeps the key within its length. */
function identityOf(attributes: ReadonlyMap<string, string>): { id?: string; idempotency_key?: string } {
  const { id = '', source = '' } = Object.fromEntries(attributes)
  if (isOurs(attributes)) return { id }
  return { idempotency_key: `ce_${createHash('sha256').update(`${source}\0${id}`).digest('base64url')}` }
}

/** Says of a fault of the translated event which attribute is at fault; of `data` the pointer stays. */
export function attributeOf(error: EntryError, attributes: ReadonlyMap<string, string>): string | undefined {
  const member = error.pointer.slice(1)
  switch (member) {
    case 'type':
    case 'agent':
      return member
    case 'id':
    case 'idempotency_key':
      return 'id'
    case 'created_at':
      return 'time'
    case 'task_id':
      return attributes.has('taskid') ? 'taskid' : 'subject'
    case 'session_id':
      return attributes.has('sessionid') ? 'sessionid' : subjectIsSession(attributes) ? 'subject' : 'sessionid'
    default:
      return undefined
  }
}
