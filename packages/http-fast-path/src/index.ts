export { createFastPath } from './create-fast-path.ts'
export type { FastPathHandler } from './create-fast-path.ts'
