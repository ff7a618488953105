/** A JSON object that is being made. */
export interface JsonObject {
  [name: string]: unknown
}

/** `over` on top of `value`: objects member by member, everything else as a whole. Neither is changed. */
export function mergeDeep(value: unknown, over: unknown): unknown {
  if (!isObject(value) || !isObject(over)) return over
  const merged = new Map<string, unknown>(Object.entries(value))
  for (const [name, member] of Object.entries(over)) {
    merged.set(name, merged.has(name) ? mergeDeep(merged.get(name), member) : member)
  }
  return Object.fromEntries(merged)
}

/** An object that holds nothing but `value` at the end of a path. */
export function objectAt(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, name) => Object.fromEntries([[name, inner]]), value)
}

/** Whether it is an object, and no array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
