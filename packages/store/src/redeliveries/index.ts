export {
  cancelRedelivery,
  deleteExpiredRedeliveries,
  DRY_RUNS_MAX,
  findRunningRedelivery,
  getRedelivery,
  insertRedelivery,
  listRedeliveries,
  redeliveryRow,
} from './redeliveries.ts'
export type { RedeliveryRow } from './redeliveries.ts'
export { toDeliveryFilter } from './stored-filter.ts'
export type { StoredFilter } from './stored-filter.ts'
