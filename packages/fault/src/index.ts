export { Fault, hasFaultCode, isRetryable, maskCredentials, messageOf, type FaultDetails } from './fault.ts'
export type { Logger } from './logger.ts'
