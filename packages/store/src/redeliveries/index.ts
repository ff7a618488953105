export {
  anyRedeliveryDue,
  advanceRedelivery,
  delayRedelivery,
  lockNextRedelivery,
  noteFailedSlice,
} from './lock-next-redelivery.ts'
export type { LockedRedelivery } from './lock-next-redelivery.ts'
export {
  cancelRedelivery,
  deleteExpiredRedeliveries,
  DRY_RUNS_MAX,
  findRunningRedelivery,
  getRedelivery,
  insertRedelivery,
  listRedeliveries,
} from './redeliveries.ts'
export type { RedeliveryRow } from './redeliveries.ts'
export { anyWebhookFull, redeliverMany } from './redeliver-many.ts'
export { toDeliveryFilter } from './stored-filter.ts'
export type { StoredFilter } from './stored-filter.ts'
