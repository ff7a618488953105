export { Fault, hasFaultCode, maskCredentials, messageOf, type FaultDetails } from './fault.ts'
export type { Logger } from './logger.ts'
