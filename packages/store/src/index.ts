// The pool, transactions and migrations. Queries are exported by noun: `@ariftly/store/deliveries` and so on.
export { createPool, SERVICE_ROLE } from './pool.ts'
export type { Pool, PoolOptions } from './pool.ts'
export type { Queryable, Transaction } from './queryable.ts'
export { withTransaction } from './with-transaction.ts'
export { sqlState, StoreFault } from './store-fault.ts'
export { migrate, MIGRATIONS_DIR } from './migrate.ts'
export type { MigrateOptions } from './migrate.ts'
export { onKnownSchema } from './on-known-schema.ts'
