export { createFastPath } from './create-fast-path.ts'
export type { FastPathHandler, FastPathOptions, FastResponse } from './create-fast-path.ts'
export type { FastPost } from './read-request.ts'
export type { FastPathCall } from './fast-path-call.ts'
