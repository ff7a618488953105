export { collectGarbage, keepCollectingGarbage } from './collect-garbage.ts'
export { stackAddresses } from './addresses.ts'
export { findFreePort } from '@ariftly/local-stack'
export {
  createTestAuthority,
  type TestAuthority,
  type TestCertificate,
  type TestCertificateOptions,
} from './certificates.ts'
export { callApi, type ApiAnswer, type ApiCall } from './call-api.ts'
export { startCollector, type Collector, type ReceivedSpan } from './collector.ts'
export { countTimers, type TimerCount, type TimerRates } from './count-timers.ts'
export {
  startCuttingProxy,
  startKafkaProxies,
  startKafkaProxy,
  type CuttingProxy,
  type KafkaProxy,
  type ProxyTarget,
} from './cutting-proxy.ts'
export { createTemplateDatabase, createTestDatabase, type TestDatabase, type TestPoolOptions } from './database.ts'
export { byForm } from './long-form.ts'
export { explaining, rowsRead, type PlanNode } from './explaining.ts'
export { DEADLINES, eventually, type EventuallyOptions } from './eventually.ts'
export { createStreamReader, openStream, type OpenStream, type StreamMessage } from './open-stream.ts'
export { startOwnKafka, startOwnRedis, startOwnStack } from './own-stack.ts'
export { stackEnvironment } from './stack-environment.ts'
export { sampleCaller } from './sample-caller.ts'
export { insertEvents, insertLogTimes } from './insert-events.ts'
export { sampleEvent, sampleRow, type ProjectedEvent } from './sample-event.ts'
export { insertSampleWebhook, sampleWebhook } from './sample-webhook.ts'
export { createPartitionPosts, leadersOf, type PartitionAnswer, type PartitionPosts } from './partition-posts.ts'
export { createRandom, randomSeed } from './random.ts'
export { startReceiver, type ReceivedRequest, type Receiver, type ReceiverAnswer, type Respond } from './receiver.ts'
export {
  startServiceProcess,
  type ServiceProcess,
  type ServiceProcessName,
  type ServiceProcessOptions,
} from './service-process.ts'
export { serveInProcess, startInProcess, type InProcessService } from './service-in-process.ts'
export { createTestTls, type TestTls, type TestTlsOptions } from './stack-tls.ts'
export { recordsOf } from './records-of.ts'
export { startForwardProxy, type ForwardProxy } from './forward-proxy.ts'
export { startExtraBroker, type ExtraBroker } from './extra-broker.ts'
export { startThreeBrokers, type ThreeBrokers } from './three-brokers.ts'
export { readTopicIds } from './topic-ids.ts'
export { silentLog } from './silent-log.ts'
export { createTestTopics, withClient, type TestTopics, type TestTopicsOptions } from './topics.ts'
export { testFolder } from './temporary-folder.ts'
export { untilBlocking } from './until-blocking.ts'
export { redisCommand } from './redis-command.ts'
export { createWorld, type World, type WorldOptions } from './world.ts'
export { recordViewOf } from './record-view-of.ts'
