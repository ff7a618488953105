export { removeReplica, renewReplica } from './renew-replica.ts'
