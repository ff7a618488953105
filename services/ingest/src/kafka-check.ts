import type { KafkaClient } from '@ariftly/kafka'
import { checkPartitionCount } from '@ariftly/kafka'
import { hasFaultCode, messageOf, retryForever, sleep, type Fault, type Logger } from '@ariftly/runtime'

/** What is known about the topic. */
export interface TopicCheck {
  /** `starting` until Kafka has answered once; `broken` when the topic has another number of partitions than configured, for ever. */
  readonly state: 'starting' | 'ok' | 'broken'
  /** Why it is still `starting`: what the last try met. */
  readonly problem: string | undefined
  /** Resolves when the state is no longer `starting`, or the signal is aborted. */
  readonly first: Promise<void>
}

const EVERY_MS = 30_000

/**
 * Checks that the topic has its fixed number of partitions, at the start (Kafka is waited for) and every 30 s: records in the wrong partition would be
 * dead letters.
 */
export function startTopicCheck(o: {
  readonly kafka: KafkaClient
  readonly topic: string
  readonly partitions: number
  readonly signal: AbortSignal
  readonly log: Logger
  readonly onBroken: (fault: Fault) => void
  /** Pause between two looks; default 30 s. */
  readonly everyMs?: number
}): TopicCheck {
  const { kafka, topic, partitions, signal, log, everyMs = EVERY_MS } = o
  let state: TopicCheck['state'] = 'starting'
  let problem: string | undefined

  async function check(): Promise<void> {
    try {
      await checkPartitionCount(kafka, topic, partitions)
      state = 'ok'
    } catch (error) {
      if (!hasFaultCode(error, 'partition_count_changed')) throw error
      state = 'broken'
      o.onBroken(error)
    }
  }

  async function watch(): Promise<void> {
    while (state === 'ok' && !signal.aborted) {
      await sleep(everyMs, signal)
      // Kafka away is the breaker's to notice.
      if (!signal.aborted) await check().catch(() => {})
    }
  }

  const first = retryForever(check, {
    signal,
    maxMs: 1000,
    onError: (error, attempt) => {
      const reason = messageOf(error)
      if (attempt % 30 === 0 || reason !== problem) log.warn({ error: reason }, 'Kafka is waited for')
      problem = reason
    },
  })
  void first.then(watch)
  return {
    get state() {
      return state
    },
    get problem() {
      return problem
    },
    first,
  }
}
