import type { DataObject } from '../json/data-object.ts'
import { checkDataSchema } from './data-schema.ts'
import type { Envelope } from './envelope.ts'
import { deriveEventId, type EventIdMinter } from '../event-id.ts'
import { EVENT_TYPES, type EventType, isEventType, isSessionType } from '../event-type.ts'
import { boundPointer, pointerTo, pointerToken } from '../json/json-pointer.ts'
import type { JsonScanner } from '../json/json-scanner.ts'
import { LIMITS } from '../limits.ts'
import { isIdentifier } from '../log-event.ts'
import { storeData } from './stored-data.ts'
import { parseTimestamp } from '../timestamp.ts'
import { typeIdMs } from '../typeid.ts'
import type { EntryError, ValidatedEntry, ValidationContext } from './validation.ts'

const DAY_MS = 86_400_000

/** One entry that was read; the scanner is after it. */
export interface ReadEntry {
  readonly scanner: JsonScanner
  readonly data: DataObject
  readonly envelope: Envelope
  readonly context: ValidationContext
  readonly minter: Pick<EventIdMinter, 'mint'>
}

/** Validates one posted event; the first fault found refuses it. */
export function validateEntry(entry: ReadEntry): ValidatedEntry {
  const { envelope, context } = entry
  const id = envelope.id !== undefined && typeIdMs('evt', envelope.id) !== undefined ? envelope.id : undefined
  const refuse = (error: EntryError): ValidatedEntry =>
    id === undefined ? { ok: false, error } : { ok: false, id, error }
  const error =
    envelope.error ??
    checkSize(entry) ??
    checkBadString(entry) ??
    checkType(envelope) ??
    checkNames(envelope) ??
    checkData(entry)
  if (error) return refuse(error)
  const identity = chooseId(entry)
  if (typeof identity !== 'string') return refuse(identity)
  const taskId = envelope.task_id ?? null
  const sessionId = envelope.session_id ?? null
  const name = taskId === null ? 'session_id' : 'task_id'
  const stored = storeData(entry.scanner, entry.data, name, taskId ?? sessionId ?? '')
  if (stored.type === 'mismatch')
    return refuse(fault('invalid_value', `/data/${name}`, `must equal the event's ${name}`))
  if (stored.type === 'tooLarge') {
    return refuse(tooLarge(stored.length))
  }
  const type = envelope.type as EventType
  const broken = checkDataSchema(type, entry.scanner, entry.data)
  if (broken) return refuse(fault(broken.code, `/data${broken.pointer}`, broken.message))
  const { tenant, traceparent } = context
  const agent = envelope.agent ?? null
  const isMinted = envelope.id === undefined && envelope.created_at === undefined
  const event = { tenant, id: identity, type, taskId, sessionId, agent, data: stored.bytes, traceparent }
  return { ok: true, event, isMinted }
}

/** The first check: nothing else is reported of an event that is too large. */
function checkSize({ data, envelope }: ReadEntry): EntryError | undefined {
  if (envelope.data !== 'object' || data.netBytes <= LIMITS.dataBytesMax) return undefined
  return tooLarge(data.netBytes)
}

function tooLarge(bytes: number): EntryError {
  return fault('too_long', '/data', `must have at most ${LIMITS.dataBytesMax} bytes, has ${bytes}`)
}

function checkBadString({ scanner, data, envelope }: ReadEntry): EntryError | undefined {
  const { badMember, badStringAt, dataDepth } = envelope
  // Beyond the depth that is allowed the pointer would be as long as the nesting; of `data` that is no object no depth is known.
  if (badMember === undefined || dataDepth > LIMITS.dataDepthMax || envelope.data === 'other') return undefined
  const inside = badMember === 'data' ? pointerTo(scanner.bytes, data.start, data.end, badStringAt) : ''
  return fault('invalid_value', boundPointer(`/${badMember}${inside}`), 'must not hold \\u0000 or a lone surrogate')
}

function checkType(envelope: Envelope): EntryError | undefined {
  if (envelope.type === undefined) return required('/type')
  if (!isEventType(envelope.type)) return fault('invalid_value', '/type', `must be one of ${EVENT_TYPES.join(', ')}`)
  return undefined
}

const NAMES = ['task_id', 'session_id', 'agent'] as const

function checkNames(envelope: Envelope): EntryError | undefined {
  for (const name of NAMES) {
    const value = envelope[name]
    if (value !== undefined && !isIdentifier(value)) {
      const chars = LIMITS.identifierCharsMax
      return fault('invalid_value', `/${name}`, `must be 1 to ${chars} characters of A-Z a-z 0-9 _ . : - /`)
    }
  }
  const needed = isSessionType(envelope.type as EventType) ? 'session_id' : 'task_id'
  return envelope[needed] === undefined ? required(`/${needed}`) : undefined
}

function checkData({ data, envelope }: ReadEntry): EntryError | undefined {
  if (envelope.data === 'absent') return required('/data')
  if (envelope.data === 'other') return fault('invalid_type', '/data', 'must be an object')
  if (envelope.dataDepth > LIMITS.dataDepthMax) {
    return fault('out_of_range', '/data', `must have at most ${LIMITS.dataDepthMax} levels, has ${envelope.dataDepth}`)
  }
  if (data.duplicate < 0) return undefined
  const pointer = boundPointer(`/data/${pointerToken(data.nameOf(data.duplicate))}`)
  return fault('invalid_value', pointer, 'is given more than once')
}

/** The event's id: the caller's, derived from the idempotency key, or minted; or why there can be none. */
function chooseId({ envelope, context, minter }: ReadEntry): string | EntryError {
  const { id, created_at: createdAt, idempotency_key: key } = envelope
  const idMs = id === undefined ? undefined : typeIdMs('evt', id)
  if (id !== undefined && idMs === undefined) {
    return fault('invalid_value', '/id', 'must be evt_ and a UUIDv7 as a TypeID, in lower case')
  }
  const createdMs = createdAt === undefined ? undefined : parseTimestamp(createdAt)?.ms
  if (createdAt !== undefined && createdMs === undefined) {
    return fault('invalid_value', '/created_at', 'must be an ISO 8601 date and time')
  }
  const ms = idMs ?? createdMs
  const late = ms === undefined ? undefined : checkWindow(ms, context, id === undefined ? '/created_at' : '/id')
  if (late) return late
  if (idMs !== undefined && createdMs !== undefined && idMs !== createdMs) {
    return fault('invalid_value', '/created_at', 'must be the millisecond inside id')
  }
  if (key === undefined) return id ?? minter.mint(ms ?? context.nowMs)
  if (ms === undefined) return fault('required', '/created_at', 'is required with idempotency_key')
  if (!isIdempotencyKey(key)) {
    return fault('invalid_value', '/idempotency_key', `must have 1 to ${LIMITS.idempotencyKeyCharsMax} characters`)
  }
  const derived = deriveEventId(ms, context.tenant, key)
  if (id !== undefined && id !== derived)
    return fault('invalid_value', '/id', 'is not the id that created_at and idempotency_key give')
  return derived
}

/** Characters are counted as code points. */
function isIdempotencyKey(key: string): boolean {
  const max = LIMITS.idempotencyKeyCharsMax
  return key.length > 0 && (key.length <= max || (key.length <= 2 * max && Array.from(key).length <= max))
}

function checkWindow(ms: number, context: ValidationContext, pointer: string): EntryError | undefined {
  const { nowMs, latestMs = nowMs } = context
  const historyMs = Math.min(context.historyMs ?? LIMITS.historyMsMax, LIMITS.historyMsMax)
  if (ms < nowMs - historyMs)
    return fault('out_of_range', pointer, `is older than the ${historyMs / DAY_MS} days of history that are kept`)
  if (ms > latestMs + LIMITS.futureMsMax) return fault('out_of_range', pointer, 'is more than 5 minutes ahead')
  return undefined
}

function required(pointer: string): EntryError {
  return fault('required', pointer, 'is required')
}

function fault(code: EntryError['code'], pointer: string, message: string): EntryError {
  return { code, pointer, message }
}
