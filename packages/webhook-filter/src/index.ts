export { compileFilter, type CompiledFilter } from './compile-filter.ts'
export { ATTRIBUTES as FILTER_ATTRIBUTES, FILTER_LIMITS, type WebhookFilter } from './filter.ts'
export { validateFilter } from './validate-filter.ts'
