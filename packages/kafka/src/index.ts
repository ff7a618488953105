export { createKafka, type KafkaClient, type KafkaConnection } from './cluster/client.ts'
export { checkLog } from './topics/check-log.ts'
export { createDeadLetterWriter, type DeadLetter, type DeadLetterWriter } from './produce/dead-letters.ts'
export { describeAvailable, describeLog, type LogDescription, type LogPartition } from './topics/describe-log.ts'
export { kafkaFault, type KafkaFaultCode } from './kafka-fault.ts'
export { isSameLog, isWrongLog, logFault, type LogIdentity } from './log-identity.ts'
export { startLogReader, type LogReader } from './read/log-reader.ts'
export type {
  HandleOutcome,
  LogBatch,
  LogGap,
  LogReaderOptions,
  PartitionLag,
  Position,
} from './read/log-reader-options.ts'
export type { PartitionOutcome } from './produce/partition-outcome.ts'
export {
  createProducer,
  type EventProducer,
  type ProduceOptions,
  type ProduceOutcome,
  type ProducerOptions,
  type ProducerRecord,
} from './produce/producer.ts'
export { scanLog, type ScanOptions } from './read/scan-log.ts'
export { scanLogBackwards } from './read/scan-log-backwards.ts'
export type { TopicFinding } from './topics/check-topic.ts'
export { checkTopics, createTopics, type TopicsOptions } from './topics/topics.ts'
export { RecordView } from './wire/record-view.ts'
