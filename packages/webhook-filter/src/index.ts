export { compileFilter, type CompiledFilter, type FilteredEvent } from './compile-filter.ts'
export { FILTER_LIMITS, type WebhookFilter } from './filter.ts'
export { validateFilter, type FilterError } from './validate-filter.ts'
