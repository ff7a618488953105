export { checkPort } from './check-port.ts'
export type { StandaloneConfig } from './config.ts'
export { runStandalone } from './run-standalone.ts'
export { start, type StandaloneDeps } from './service.ts'
