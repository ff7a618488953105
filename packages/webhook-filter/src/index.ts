export { compileFilter, type CompiledFilter, type FilteredEvent } from './compile-filter.ts'
export { ATTRIBUTES as FILTER_ATTRIBUTES, FILTER_LIMITS, type WebhookFilter } from './filter.ts'
export { validateFilter, type FilterError } from './validate-filter.ts'
