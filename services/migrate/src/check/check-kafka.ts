import { checkTopics, createKafka } from '@ariftly/kafka'
import { kafkaConnection, messageOf, type Logger } from '@ariftly/runtime'
import { unreachable, type Finding } from './finding.ts'
import type { CheckConfig } from '../config.ts'

/** Checks that Kafka answers, and that both topics have the settings that the services need. */
export async function checkKafka(config: CheckConfig, log: Logger): Promise<readonly Finding[]> {
  const kafka = createKafka({ ...kafkaConnection(config), clientId: 'ariftly-migrate-check', log })
  try {
    const findings = await checkTopics(kafka, {
      topic: config.KAFKA_TOPIC,
      dlqTopic: config.KAFKA_DLQ_TOPIC,
      partitions: config.KAFKA_PARTITIONS,
      replication: config.KAFKA_REPLICATION,
      retentionMs: config.LOG_RETENTION_DAYS * 86_400_000,
    })
    return findings.map(({ topic, severity, setting, found, expected, remedy }) => ({
      backend: 'kafka',
      severity,
      message: `Topic ${topic}: ${setting} is ${found}, expected ${expected}.`,
      remedy,
    }))
  } catch (error) {
    return [unreachable('kafka', messageOf(error), 'KAFKA_BROKERS, KAFKA_TLS… and KAFKA_SASL…')]
  } finally {
    await kafka.close()
  }
}
