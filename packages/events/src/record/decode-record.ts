import { isUtf8 } from 'node:buffer'
import { normalTraceparent } from '@ariftly/trace-context'
import { DataObject } from '../json/data-object.ts'
import { recordSource } from './encode-record.ts'
import { isEventType, isSessionType } from '../event-type.ts'
import type { EventType } from '../event-type.ts'
import { isIdInWindow } from './id-window.ts'
import { JsonScanner } from '../json/json-scanner.ts'
import { MalformedJson } from '../json/json-tokens.ts'
import { LIMITS } from '../limits.ts'
import { isIdentifier, isTenant } from '../log-event.ts'
import { partitionOf } from './partition.ts'
import type { DeadLetterReason, Decoded, RawRecord } from './record.ts'
import { typeIdMs } from '../typeid.ts'

type DeadLetter = Extract<Decoded, { kind: 'deadLetter' }>

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/
const NOT_ONE = Symbol('a repeated header, or one that is no text')

/**
 * Decodes a record to an event, or to a dead letter with its reason. Pure, never throws. The event's `data` is the record's
 * value itself, not a copy. `partitions` is the topic's fixed number. A missing or ill-formed `traceparent` is null, never a
 * fault.
 */
export function decodeRecord(record: RawRecord, partitions: number): Decoded {
  const { headers } = record
  const version = text(headers['ce_specversion'])
  if (version !== '1.0') return badAttribute('ce_specversion', version)
  const id = text(headers['ce_id'])
  const ms = typeof id === 'string' ? typeIdMs('evt', id) : undefined
  if (typeof id !== 'string' || ms === undefined) return badAttribute('ce_id', id)
  const type = text(headers['ce_type'])
  if (typeof type !== 'string') return badAttribute('ce_type', type)
  if (!isEventType(type)) return deadLetter('unknown_type', 'ce_type is none of the ten types')
  const tenant = text(headers['ce_tenant'])
  if (typeof tenant !== 'string' || !isTenant(tenant)) return badAttribute('ce_tenant', tenant)
  const names = readNames(record, type)
  if ('kind' in names) return names
  const { taskId, sessionId, agent } = names
  const subject = taskId ?? sessionId ?? ''
  const fault =
    checkDerived(record, tenant, subject, agent) ??
    checkPlace(record, partitions, `${tenant}/${subject}`) ??
    checkWindow(ms, record.timestampMs)
  if (fault) return fault
  const data = record.value
  if (data === null) return deadLetter('value_missing', 'the record has no value')
  const badValue = checkValue(data, taskId === null ? 'session_id' : 'task_id', subject)
  if (badValue) return badValue
  const traceparent = normalTraceparent(text(headers['traceparent'])) ?? null
  return { kind: 'event', event: { tenant, id, type, taskId, sessionId, agent, data, traceparent } }
}

/** The record's `ce_id` if it is a valid event id. */
export function recordId(record: RawRecord): string | undefined {
  const id = text(record.headers['ce_id'])
  return typeof id === 'string' && typeIdMs('evt', id) !== undefined ? id : undefined
}

/**
 * The tenant of a record, dead letters included: from `ce_tenant`, otherwise the key, otherwise `ce_source`. Undefined when
 * none of them names a tenant.
 */
export function recordTenant({ key, headers }: RawRecord): string | undefined {
  const source = text(headers['ce_source'])
  const candidates = [
    text(headers['ce_tenant']),
    key?.toString('latin1').split('/', 1)[0],
    typeof source === 'string' ? /^\/tenants\/([^/]*)/.exec(source)?.[1] : undefined,
  ]
  return candidates.find((name): name is string => typeof name === 'string' && isTenant(name))
}

type HeaderText = string | undefined | typeof NOT_ONE

function text(header: RawRecord['headers'][string]): HeaderText {
  if (header === undefined || typeof header === 'string') return header
  // Valid attributes are ASCII: other bytes become Latin-1 characters, which no check accepts.
  if (Buffer.isBuffer(header)) return header.toString('latin1')
  return NOT_ONE
}

interface Names {
  readonly taskId: string | null
  readonly sessionId: string | null
  readonly agent: string | null
}

function readNames(record: RawRecord, type: EventType): Names | DeadLetter {
  const taskId = text(record.headers['ce_taskid']) ?? null
  if (taskId !== null && (typeof taskId !== 'string' || !isIdentifier(taskId))) return badAttribute('ce_taskid', taskId)
  const sessionId = text(record.headers['ce_sessionid']) ?? null
  if (sessionId !== null && (typeof sessionId !== 'string' || !isIdentifier(sessionId)))
    return badAttribute('ce_sessionid', sessionId)
  const agent = text(record.headers['ce_agent']) ?? null
  if (agent !== null && (typeof agent !== 'string' || !isIdentifier(agent))) return badAttribute('ce_agent', agent)
  if (isSessionType(type) ? sessionId === null : taskId === null) {
    return badAttribute(isSessionType(type) ? 'ce_sessionid' : 'ce_taskid', undefined)
  }
  return { taskId, sessionId, agent }
}

/** Checks the attributes that follow from others, and the ones that only readers use. */
function checkDerived(
  record: RawRecord,
  tenant: string,
  subject: string,
  agent: string | null,
): DeadLetter | undefined {
  const { headers } = record
  const source = text(headers['ce_source'])
  if (source !== recordSource(tenant, agent)) return badAttribute('ce_source', source)
  const named = text(headers['ce_subject'])
  if (named !== subject) return badAttribute('ce_subject', named)
  const time = text(headers['ce_time'])
  if (typeof time !== 'string' || !RFC_3339.test(time)) return badAttribute('ce_time', time)
  const contentType = text(headers['content-type'])
  if (typeof contentType !== 'string' || !isJsonType(contentType)) return badAttribute('content-type', contentType)
  return undefined
}

function isJsonType(contentType: string): boolean {
  return contentType === 'application/json' || /^application\/json *(;|$)/i.test(contentType)
}

function checkPlace(record: RawRecord, partitions: number, expectedKey: string): DeadLetter | undefined {
  const { key } = record
  if (key === null || key.toString('latin1') !== expectedKey) {
    return deadLetter('key_mismatch', 'the key is not <tenant>/<task_id>, else <tenant>/<session_id>')
  }
  const partition = partitionOf(expectedKey, partitions)
  if (partition !== record.partition) {
    return deadLetter('wrong_partition', `murmur2 of the key is partition ${partition} of ${partitions}`)
  }
  return undefined
}

function checkWindow(idMs: number, appendedMs: number): DeadLetter | undefined {
  if (isIdInWindow(idMs, appendedMs)) return undefined
  return deadLetter('id_out_of_window', `the id's time is ${idMs - appendedMs} ms from the append time`)
}

const scanner = new JsonScanner()
const members = new DataObject(scanner)

/** The rules of the value: one line of a UTF-8 JSON object within the limits of 4.1, its first member naming the subject. */
function checkValue(value: Buffer, name: string, subject: string): DeadLetter | undefined {
  if (value.length > LIMITS.dataBytesMax) return deadLetter('value_too_large', `the value has ${value.length} bytes`)
  if (!isUtf8(value)) return deadLetter('value_not_utf8', 'the value is not UTF-8')
  scanner.reset(value, 0, value.length)
  try {
    if (scanner.skipSpace() !== 0x7b) return deadLetter('value_not_json_object', 'the value is not a JSON object')
    members.begin()
    members.scan()
    if (scanner.skipSpace() !== -1) return deadLetter('value_not_json_object', 'bytes follow the JSON object')
  } catch (error) {
    if (error instanceof MalformedJson) return deadLetter('value_not_json_object', error.message)
    throw error
  } finally {
    // The value must not live as long as this module.
    scanner.bytes = NO_BYTES
  }
  // Raw line ends are legal in JSON only between tokens, which is where the scan let them pass.
  if (scanner.gapBytes > 0 && (value.includes(0x0a) || value.includes(0x0d)))
    return deadLetter('value_not_one_line', 'the value has a raw CR or LF')
  if (scanner.depthMax > LIMITS.dataDepthMax)
    return deadLetter('value_too_deep', `the value has ${scanner.depthMax} levels`)
  if (scanner.badStringAt >= 0)
    return deadLetter('value_bad_string', `\\u0000 or a lone surrogate at byte ${scanner.badStringAt}`)
  if (members.duplicate >= 0) {
    const at = members.nameStart(members.duplicate)
    return deadLetter('value_duplicate_member', `a name is repeated, at byte ${at}`)
  }
  if (!isFirstMember(value, name, subject))
    return deadLetter('value_first_member', `the first member is not ${name} of the subject`)
  return undefined
}

const NO_BYTES = Buffer.alloc(0)

function isFirstMember(value: Buffer, name: string, subject: string): boolean {
  if (members.size === 0) return false
  const start = members.valueStart(0)
  const end = members.valueEnd(0)
  if (!members.isEscaped(0) && value[start] === 0x22 && end - start === subject.length + 2) {
    return (
      value.toString('latin1', members.nameStart(0), members.nameEnd(0)) === name &&
      value.toString('latin1', start + 1, end - 1) === subject
    )
  }
  const first = JSON.parse(
    `[${value.toString('utf8', members.nameStart(0) - 1, members.nameEnd(0) + 1)},${value.toString('utf8', start, end)}]`,
  ) as unknown[]
  return first[0] === name && first[1] === subject
}

function badAttribute(name: string, value: HeaderText | null): DeadLetter {
  if (value === undefined || value === null) return deadLetter('missing_attribute', `${name} is missing`)
  return deadLetter(
    'bad_attribute',
    value === NOT_ONE ? `${name} is given more than once` : `${name} does not have the form that it must have`,
  )
}

function deadLetter(reason: DeadLetterReason, detail: string): DeadLetter {
  return { kind: 'deadLetter', reason, detail }
}
