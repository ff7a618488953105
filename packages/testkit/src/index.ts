export { stackAddresses } from './addresses.ts'
export { createTemplateDatabase, createTestDatabase, type TestDatabase } from './database.ts'
export { eventually, type EventuallyOptions } from './eventually.ts'
