export { ByteBudget, type ByteShare } from './byte-budget.ts'
export { TenantTurns, TurnRefused } from './tenant-turns.ts'
export { TokenBuckets, type BucketRate, type TokenBucket } from './token-buckets.ts'
export { TurnQueue } from './turn-queue.ts'
