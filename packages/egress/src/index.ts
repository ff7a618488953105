// Sending. `@ariftly/egress/url-policy` (checks of URLs) and `@ariftly/egress/outcome` (error classes) load no HTTP client.
export { createEgressPolicy, type EgressPolicy } from './policy.ts'
export { createEgress, type Egress } from './egress.ts'
export type { Resolve } from './resolve.ts'
export { ERROR_CLASSES, type EgressOutcome, type EgressRequest, type ErrorClass } from './outcome.ts'
