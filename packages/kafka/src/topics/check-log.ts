import { sleep } from '@ariftly/async'
import type { Fault } from '@ariftly/fault'
import type { KafkaClient } from '../cluster/client.ts'
import { describeLog } from './describe-log.ts'
import { kafkaFault } from '../kafka-fault.ts'
import { isSameLog, logFault, type ExpectedLog, type LogIdentity } from '../log-identity.ts'

/** Pause before a log that does not fit is checked again. */
const SECOND_CHECK_MS = 1_000

/**
 * Checks that a topic is the expected one. Rejects with fault `log_identity_changed` or `partition_count_changed`, or with the
 * error of the request.
 */
export async function checkLog(client: KafkaClient, expected: ExpectedLog, signal?: AbortSignal): Promise<void> {
  await checkTwice({
    read: () => describeLog(client, expected.topic, []),
    faultOf: (found) => logFault(expected, found),
    signal,
  })
}

/**
 * Reads and checks a log, and again a second later if it does not fit: rejects with its fault if both reads find the same
 * log. Resolves with the last read.
 */
export async function checkTwice<L extends LogIdentity>(o: {
  read(): Promise<L>
  faultOf(found: L): Fault | undefined
  /** Whether to check again a log that fits. */
  isDoubtful?(found: L): boolean
  readonly signal?: AbortSignal | undefined
}): Promise<L> {
  const first = await o.read()
  const firstFault = o.faultOf(first)
  if (firstFault === undefined && o.isDoubtful?.(first) !== true) return first
  await sleep(SECOND_CHECK_MS, o.signal)
  const second = await o.read()
  const fault = o.faultOf(second)
  if (fault === undefined) return second
  if (firstFault !== undefined && isSameLog(first, second)) throw fault
  throw kafkaFault('kafka_unavailable', `The log is another one at each check: ${fault.message}`)
}
