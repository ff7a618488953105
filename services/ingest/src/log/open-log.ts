import { createKafka, createProducer } from '@ariftly/kafka'
import { databaseConnection, kafkaConnection, type Releasers, type ServiceDeps } from '@ariftly/runtime'
import { createPool, SERVICE_ROLE } from '@ariftly/store'
import { watchRetention } from '@ariftly/store/retention'
import { Breaker } from './breaker.ts'
import { createClockSkew, watchClocks, type ClockSkew } from './clock-skew.ts'
import type { IngestConfig } from '../config.ts'
import { createEventLog, type EventLog, type EventLogOptions } from './event-log.ts'
import { createLogGate, type LogGate } from './log-gate.ts'
import { registerLogMetrics } from '../metrics.ts'
import { traceSends } from './trace-sends.ts'

const PROBE_TIMEOUT_MS = 1000
/** How long the lane waits under load to fill a produce request; without load it does not wait. */
const LINGER_MS = 2
const CLOCKS_DIFFER = 'the clocks of this process and of a broker differ by more than a minute'

/** The way into Kafka, and what decides whether it may be taken. */
export interface OpenLog {
  readonly eventLog: EventLog
  readonly gate: LogGate
  readonly breaker: Breaker
  readonly skew: ClockSkew
  /** How long events are kept, milliseconds. */
  readonly historyMs: () => number
}

/** Connects to Kafka in the background: the producer, the check of the log's identity, a breaker for each partition and the batching of events. */
export function openLog(
  config: IngestConfig,
  { log, metrics, backends, tracing }: ServiceDeps,
  o: { readonly releasers: Releasers; readonly onSend: NonNullable<EventLogOptions['onSend']> },
): OpenLog {
  const { releasers } = o
  const { KAFKA_TOPIC: topic, KAFKA_PARTITIONS: partitions } = config
  const watch = { backend: backends.kafka, topic }
  const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-ingest', log, watch })
  releasers.add('kafka client', () => kafka.close())
  const name = { applicationName: 'ariftly-ingest-log', role: SERVICE_ROLE, max: 1 }
  const pool = createPool({ ...databaseConnection(config), ...name })
  releasers.add('pool of the log gate', () => pool.end())
  const retention = watchRetention({ db: pool, log })
  releasers.add('retention', () => retention.close())
  const gate = createLogGate({ kafka, pool, topic, partitions, log, metrics })
  releasers.add('log gate', () => gate.close())
  const producer = createProducer(kafka, { topic, identity: () => gate.identity })
  releasers.add('producer', () => producer.close())
  const breaker = new Breaker({
    partitions,
    probe: () => producer.probe(PROBE_TIMEOUT_MS),
    isWritable: () => gate.isOpen,
    hasLeader: (partition) => producer.leaderOf(partition) >= 0,
    onOpen: (partition) => eventLog.failWaiting(partition),
    onChange: (partition, state) =>
      log[state === 'open' ? 'warn' : 'debug']({ partition, state }, 'the breaker of a partition changed'),
  })
  releasers.add('breaker', () => breaker.close())
  const skew = createClockSkew({
    onChange: (isBeyond) =>
      log.warn({ skewMs: Object.fromEntries(skew.all()) }, isBeyond ? CLOCKS_DIFFER : 'the clocks agree again'),
  })
  const eventLog = createEventLog({
    producer: traceSends(watchClocks(producer, skew), tracing, topic),
    breaker,
    forecast: (partition, idTimes) => skew.forecast(producer.leaderOf(partition), idTimes),
    partitions,
    timeoutMs: config.INGEST_PRODUCE_TIMEOUT_MS,
    lingerMs: LINGER_MS,
    onSend: o.onSend,
  })
  releasers.add('events under way', () => eventLog.idle())
  registerLogMetrics(metrics, { openPartitions: () => breaker.openPartitions, clockSkew: () => skew.all() })
  return { eventLog, gate, breaker, skew, historyMs: () => retention.current().eventsMs }
}
