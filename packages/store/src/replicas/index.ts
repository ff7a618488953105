export { RENEW_REPLICA_MS, Replica } from './replica.ts'
