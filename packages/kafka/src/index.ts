export { createKafka, type KafkaClient, type KafkaConnection } from './client.ts'
export { checkLog } from './check-log.ts'
export { createDeadLetterWriter, type DeadLetter, type DeadLetterWriter } from './dead-letters.ts'
export { describeAvailable, describeLog, type LogDescription, type LogPartition } from './describe-log.ts'
export { kafkaFault, type KafkaFaultCode } from './kafka-fault.ts'
export { isSameLog, isWrongLog, logFault, type LogIdentity } from './log-identity.ts'
export { startLogReader, type LogReader } from './log-reader.ts'
export type { HandleOutcome, LogBatch, LogGap, LogReaderOptions, PartitionLag, Position } from './log-reader-options.ts'
export type { PartitionOutcome } from './partition-outcome.ts'
export {
  createProducer,
  type EventProducer,
  type ProduceOptions,
  type ProduceOutcome,
  type ProducerOptions,
  type ProducerRecord,
} from './producer.ts'
export { scanLog, type ScanOptions } from './scan-log.ts'
export { scanLogBackwards } from './scan-log-backwards.ts'
export type { TopicFinding } from './check-topic.ts'
export { checkTopics, createTopics, type TopicsOptions } from './topics.ts'
export { RecordView } from './wire/record-view.ts'
