// What an operator checks first, as far as Postgres knows it.
export { readLogProgress } from './read-log-progress.ts'
export type { LogProgress, PartitionProgress } from './read-log-progress.ts'
export { listProcesses } from './list-processes.ts'
export type { ProcessRow } from './list-processes.ts'
export { findLargestBacklogs } from './find-largest-backlogs.ts'
export type { Backlog, Backlogs } from './find-largest-backlogs.ts'
