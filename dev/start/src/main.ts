import { runStandalone } from '@ariftly-services/standalone'
import { startOnLocalStack } from './start-on-local-stack.ts'

// Absent addresses are the local stack's. They are filled in here only so that all other settings can be checked before anything
// starts.
await runStandalone(startOnLocalStack, {
  KAFKA_BROKERS: '127.0.0.1:9092',
  DATABASE_URL: 'postgres://127.0.0.1/ariftly',
  REDIS_URL: 'redis://127.0.0.1',
})
