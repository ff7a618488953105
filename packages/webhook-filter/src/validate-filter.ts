import { ATTRIBUTES, dataPath, FILTER_LIMITS } from './filter.ts'

/** What is wrong with a filter. `pointer` leads from the filter to the place (RFC 6901). */
export interface FilterError {
  readonly pointer: string
  readonly code: 'unknown_member' | 'invalid_type' | 'out_of_range' | 'too_long'
  /** The end of the sentence "it …". */
  readonly message: string
}

/** Counted over the whole filter. */
interface Tally {
  operators: number
  readonly errors: FilterError[]
}

/** The position of a value in the filter. */
interface Place {
  readonly pointer: string
  readonly depth: number
}

/** Most errors reported for one filter; a hostile one has thousands. */
const ERRORS_MAX = 10
const SCALARS = new Set(['string', 'number', 'boolean'])
const COMPARISONS = new Set(['$gt', '$gte', '$lt', '$lte'])

/**
 * Checks a parsed JSON value as a payload filter. Returns what is wrong with it, nothing when it is a filter; a member error
 * does not end the check, so a caller sees up to ten at once.
 */
export function validateFilter(value: unknown): readonly FilterError[] {
  const tally: Tally = { operators: 0, errors: [] }
  checkFilter(value, { pointer: '', depth: 1 }, tally)
  if (tally.errors.length > 0) return tally.errors
  if (tally.operators > FILTER_LIMITS.operatorsMax)
    refuse(tally, '', 'too_long', `may have at most ${FILTER_LIMITS.operatorsMax} operators`)
  if (Buffer.byteLength(JSON.stringify(value)) > FILTER_LIMITS.bytesMax)
    refuse(tally, '', 'too_long', `may have at most ${FILTER_LIMITS.bytesMax} bytes of JSON`)
  return tally.errors
}

function refuse(tally: Tally, pointer: string, code: FilterError['code'], message: string): void {
  if (tally.errors.length < ERRORS_MAX) tally.errors.push({ pointer, code, message })
}

function membersOf(value: unknown, place: Place, tally: Tally): readonly [string, unknown][] | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse(tally, place.pointer, 'invalid_type', 'must be an object')
    return undefined
  }
  if (place.depth > FILTER_LIMITS.depthMax) {
    refuse(tally, place.pointer, 'out_of_range', `may be nested at most ${FILTER_LIMITS.depthMax} levels deep`)
    return undefined
  }
  const members = Object.entries(value)
  if (members.length > 0) return members
  refuse(tally, place.pointer, 'out_of_range', 'must not be empty')
  return undefined
}

function checkFilter(value: unknown, place: Place, tally: Tally): void {
  for (const [key, member] of membersOf(value, place, tally) ?? []) {
    const pointer = `${place.pointer}/${escapePointer(key)}`
    if (key === '$and' || key === '$or') {
      tally.operators += 1
      checkFilters(member, { ...place, pointer }, tally)
    } else if (ATTRIBUTES.some((name) => name === key) || dataPath(key) !== undefined) {
      checkCondition(member, { pointer, depth: place.depth + 1 }, tally)
    } else {
      refuse(tally, pointer, 'unknown_member', 'is not type, agent, task_id, session_id, data.<path>, $and or $or')
    }
  }
}

function checkFilters(value: unknown, place: Place, tally: Tally): void {
  if (!Array.isArray(value)) return refuse(tally, place.pointer, 'invalid_type', 'must be an array of filters')
  if (value.length === 0) return refuse(tally, place.pointer, 'out_of_range', 'must not be empty')
  for (const [index, filter] of value.entries()) {
    checkFilter(filter, { pointer: `${place.pointer}/${index}`, depth: place.depth + 1 }, tally)
  }
}

function checkCondition(value: unknown, place: Place, tally: Tally): void {
  if (typeof value !== 'object' || value === null) {
    tally.operators += 1
    return checkScalar(value, place.pointer, tally)
  }
  for (const [operator, operand] of membersOf(value, place, tally) ?? []) {
    tally.operators += 1
    checkOperand(
      operator,
      operand,
      { pointer: `${place.pointer}/${escapePointer(operator)}`, depth: place.depth },
      tally,
    )
  }
}

function checkOperand(operator: string, operand: unknown, place: Place, tally: Tally): void {
  const { pointer } = place
  if (operator === '$eq') checkScalar(operand, pointer, tally)
  else if (operator === '$in') checkValues(operand, pointer, tally)
  else if (COMPARISONS.has(operator)) checkComparable(operand, pointer, tally)
  else if (operator === '$exists') {
    if (typeof operand !== 'boolean') refuse(tally, pointer, 'invalid_type', 'must be true or false')
  } else if (operator === '$not') {
    checkCondition(operand, { pointer, depth: place.depth + 1 }, tally)
  } else {
    const known = '$eq, $in, $gt, $gte, $lt, $lte, $exists and $not'
    refuse(tally, pointer, 'unknown_member', `is no operator: there are ${known}`)
  }
}

function checkValues(value: unknown, pointer: string, tally: Tally): void {
  if (!Array.isArray(value)) return refuse(tally, pointer, 'invalid_type', 'must be an array of values')
  if (value.length === 0) return refuse(tally, pointer, 'out_of_range', 'must not be empty')
  if (value.length > FILTER_LIMITS.valuesMax)
    return refuse(tally, pointer, 'too_long', `may have at most ${FILTER_LIMITS.valuesMax} values`)
  for (const [index, entry] of value.entries()) checkScalar(entry, `${pointer}/${index}`, tally)
}

function checkComparable(value: unknown, pointer: string, tally: Tally): void {
  if (typeof value === 'string' || typeof value === 'number') return checkScalar(value, pointer, tally)
  refuse(tally, pointer, 'invalid_type', 'must be a number or a string')
}

/** Every double beyond ±(2^53 - 1) is an integer and may differ from the written number. */
function checkScalar(value: unknown, pointer: string, tally: Tally): void {
  if (value !== null && !SCALARS.has(typeof value)) {
    refuse(tally, pointer, 'invalid_type', 'must be a string, a number, true, false or null')
  } else if (typeof value === 'number' && !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    refuse(tally, pointer, 'out_of_range', 'must not be an integer beyond ±9007199254740991')
  }
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}
