import type { Fault } from '@ariftly/fault'
import { kafkaFault } from './kafka-fault.ts'

/** What tells one log from another of the same name. */
export interface LogIdentity {
  readonly clusterId: string
  /**
   * Id of the topic (KIP-516), as Kafka's tools print it: a topic that is deleted and made again has another one. Null when it
   * is not known: brokers before Kafka 2.8 have none, and it was not always recorded.
   */
  readonly topicId: string | null
}

/** Whether two identities may be of the same log; an id that is not known fits any. */
export function isSameLog(a: LogIdentity, b: LogIdentity): boolean {
  return a.clusterId === b.clusterId && (a.topicId === b.topicId || a.topicId === null || b.topicId === null)
}

/** The fault `log_identity_changed` of a topic that is on another cluster, or has another id, than expected. */
export function identityFault(topic: string, expected: LogIdentity, found: LogIdentity): Fault {
  const [what, was, is] =
    expected.clusterId === found.clusterId
      ? ['has the id', expected.topicId, found.topicId]
      : ['is on Kafka cluster', expected.clusterId, found.clusterId]
  return logChanged(`Topic ${topic} ${what} ${is}, not ${was}.`, { expected: was, found: is })
}

/** The fault of a log that is not the one that was read: only its return mends it, or a person. */
export function logChanged(message: string, detail: Readonly<Record<string, unknown>>): Fault {
  return kafkaFault('log_identity_changed', `${message} If that is meant, open a new epoch: adopt-log.`, { detail })
}
