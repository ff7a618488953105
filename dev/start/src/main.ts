import { runStandalone } from '@ariftly-services/standalone'
import { startOnLocalStack } from './start-on-local-stack.ts'

// Addresses that are not given are those of the local stack. They are filled in only so that all other settings can be checked before
// anything starts.
await runStandalone(startOnLocalStack, {
  KAFKA_BROKERS: '127.0.0.1:9092',
  DATABASE_URL: 'postgres://127.0.0.1/ariftly',
  REDIS_URL: 'redis://127.0.0.1',
})
