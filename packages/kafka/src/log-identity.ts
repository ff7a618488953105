import { hasFaultCode, type Fault } from '@ariftly/fault'
import { kafkaFault } from './kafka-fault.ts'

/** Distinguishes logs of the same name. */
export interface LogIdentity {
  readonly clusterId: string
  /** Id of the topic (KIP-516), as Kafka's tools print it: a topic that is deleted and made again has another one. */
  readonly topicId: string
}

/** Whether two identities are of the same log. */
export function isSameLog(a: LogIdentity, b: LogIdentity): boolean {
  return a.clusterId === b.clusterId && a.topicId === b.topicId
}

/** What a topic must be. */
export interface ExpectedLog {
  readonly topic: string
  readonly identity?: LogIdentity | undefined
  readonly partitionCount?: number | undefined
}

/** Fault `log_identity_changed` or `partition_count_changed` of a topic that is another one; undefined when it fits. */
export function logFault(
  { topic, identity, partitionCount }: ExpectedLog,
  found: LogIdentity & { readonly partitionCount: number },
): Fault | undefined {
  if (identity !== undefined && !isSameLog(identity, found)) {
    const [what, was, is] =
      identity.clusterId === found.clusterId
        ? ['has the id', identity.topicId, found.topicId]
        : ['is on Kafka cluster', identity.clusterId, found.clusterId]
    return logChanged(`Topic ${topic} ${what} ${is}, not ${was}.`, { expected: was, found: is })
  }
  if (partitionCount === undefined || partitionCount === found.partitionCount) return undefined
  return kafkaFault(
    'partition_count_changed',
    `Topic ${topic} has ${found.partitionCount} partitions, ${partitionCount} are configured; the count is fixed (more means a new topic).`,
    { detail: { topic, expected: partitionCount, found: found.partitionCount } },
  )
}

/** Fault for a replaced log. Recovers when the old log is back, or by `adopt-log`. */
export function logChanged(message: string, detail: Readonly<Record<string, unknown>>): Fault {
  return kafkaFault('log_identity_changed', `${message} If that is meant, open a new epoch: adopt-log.`, { detail })
}

/** Whether a fault means a replaced log: retrying helps only when the old log is back. */
export function isWrongLog(error: unknown): error is Fault {
  return hasFaultCode(error, 'log_identity_changed', 'partition_count_changed')
}
