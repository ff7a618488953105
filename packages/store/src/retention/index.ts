export { DEFAULT_RETENTION, readRetention } from './read-retention.ts'
export type { Retention } from './read-retention.ts'
export { watchRetention } from './watch-retention.ts'
export { writeRetention } from './write-retention.ts'
