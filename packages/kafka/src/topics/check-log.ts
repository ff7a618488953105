import { sleep } from '@ariftly/async'
import type { Fault } from '@ariftly/fault'
import type { KafkaClient } from '../cluster/client.ts'
import { describeLog } from './describe-log.ts'
import { kafkaFault } from '../kafka-fault.ts'
import { isSameLog, logFault, type ExpectedLog, type LogIdentity } from '../log-identity.ts'

/** How long after the first sight of a log that does not fit it is looked at again. */
const SECOND_LOOK_MS = 1_000

/**
 * Checks that a topic is the expected one. Rejects with fault `log_identity_changed` or `partition_count_changed`, or with what keeps
 * Kafka from being asked.
 */
export async function checkLog(client: KafkaClient, expected: ExpectedLog, signal?: AbortSignal): Promise<void> {
  await lookTwice({
    look: () => describeLog(client, expected.topic, []),
    faultOf: (found) => logFault(expected, found),
    signal,
  })
}

/**
 * Looks at a log once, and a second time a second later if it does not fit: its fault is believed when both looks find the
 * same log. Resolves with the last look.
 */
export async function lookTwice<L extends LogIdentity>(o: {
  look(): Promise<L>
  faultOf(found: L): Fault | undefined
  /** Whether a log that fits is looked at again all the same. */
  isDoubtful?(found: L): boolean
  readonly signal?: AbortSignal | undefined
}): Promise<L> {
  const first = await o.look()
  const firstFault = o.faultOf(first)
  if (firstFault === undefined && o.isDoubtful?.(first) !== true) return first
  await sleep(SECOND_LOOK_MS, o.signal)
  const second = await o.look()
  const fault = o.faultOf(second)
  if (fault === undefined) return second
  if (firstFault !== undefined && isSameLog(first, second)) throw fault
  throw kafkaFault('kafka_unavailable', `The log is another one at each look: ${fault.message}`)
}
