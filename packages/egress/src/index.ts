// Sending. `@ariftly/egress/url-policy` (checks of URLs) and `@ariftly/egress/outcome` (error classes) load no HTTP client.
export { createEgressPolicy, type EgressPolicy } from './policy.ts'
export { checkAddress, type AddressVerdict } from './address-policy.ts'
export { createEgress, type Egress, type EgressOptions } from './egress.ts'
export { createResolver, type ResolvedAddress, type Resolve } from './resolve.ts'
export type { Dial } from './connector.ts'
export { ERROR_CLASSES, type EgressOutcome, type EgressRequest, type EgressTiming, type ErrorClass } from './outcome.ts'
