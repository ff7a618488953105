import kafkajs from 'kafkajs'
import type { KafkaClient } from '../cluster/client.ts'
import { topicSettings, type TopicShape } from './topic-settings.ts'

/** A topic as it must be. */
export interface ExpectedTopic extends TopicShape {
  readonly topic: string
  readonly partitions: number
}

/** A difference between a topic and what the services need. */
export interface TopicFinding {
  readonly topic: string
  /** `error`: events would be lost, doubled or never read. `warning`: works, with a limit that the remedy names. */
  readonly severity: 'error' | 'warning'
  /** Name of the topic setting; `partitions`, `replication.factor`, or `topic` when it does not exist. */
  readonly setting: string
  readonly found: string
  readonly expected: string
  readonly remedy: string
}

interface Described {
  readonly partitions: number
  /** The smallest number of replicas of a partition. */
  readonly replication: number
}

/**
 * Compares a topic with what the services need; an empty result means that it fits. Needs the rights Describe and DescribeConfigs
 * on the topic. Throws what kafkajs throws when no broker answers.
 */
export async function checkTopic(client: KafkaClient, expected: ExpectedTopic): Promise<readonly TopicFinding[]> {
  return client.withAdmin(async (admin) => {
    const { topic } = expected
    if (!(await admin.listTopics()).includes(topic)) return [missing(topic)]
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const partitions = topics[0]?.partitions ?? []
    const replication = Math.min(...partitions.map(({ replicas }) => replicas.length))
    const { resources } = await admin.describeConfigs({
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
      includeSynonyms: false,
    })
    const settings = new Map(resources[0]?.configEntries.map((entry) => [entry.configName, entry.configValue]))
    return [
      ...checkShape(expected, { partitions: partitions.length, replication }),
      ...checkSettings(expected, settings, replication),
    ]
  })
}

function missing(topic: string): TopicFinding {
  return {
    topic,
    severity: 'error',
    setting: 'topic',
    found: 'missing',
    expected: 'present',
    remedy: 'Run migrate with KAFKA_TOPICS=create, or create the topic with the settings of docs/kubernetes.md.',
  }
}

function checkShape(expected: ExpectedTopic, { partitions, replication }: Described): readonly TopicFinding[] {
  const findings: TopicFinding[] = []
  if (partitions !== expected.partitions) {
    findings.push({
      topic: expected.topic,
      severity: 'error',
      setting: 'partitions',
      found: String(partitions),
      expected: String(expected.partitions),
      remedy:
        'The count is fixed: keys would change their partition. Set KAFKA_PARTITIONS to the count of the topic, or name a new topic.',
    })
  }
  if (replication < expected.replication) {
    findings.push({
      topic: expected.topic,
      severity: 'warning',
      setting: 'replication.factor',
      found: String(replication),
      expected: String(expected.replication),
      remedy: 'Reassign the partitions to more replicas (kafka-reassign-partitions), or lower KAFKA_REPLICATION.',
    })
  }
  return findings
}

function checkSettings(
  expected: ExpectedTopic,
  settings: ReadonlyMap<string, string>,
  replication: number,
): readonly TopicFinding[] {
  const wanted = topicSettings({ ...expected, replication })
  return Object.entries(wanted).flatMap(([setting, value]) => {
    const found = settings.get(setting)
    const severity = found === undefined ? undefined : severityOf(setting, found, value)
    if (found === undefined || severity === undefined) return []
    const remedy = `kafka-configs --alter --entity-type topics --entity-name ${expected.topic} --add-config ${setting}=${value}`
    return [{ topic: expected.topic, severity, setting, found, expected: value, remedy }]
  })
}

/** Codecs that the readers decode. */
const READABLE = new Set(['uncompressed', 'producer', 'gzip', 'zstd'])

function severityOf(setting: string, found: string, wanted: string): TopicFinding['severity'] | undefined {
  switch (setting) {
    case 'cleanup.policy':
    case 'message.timestamp.type':
      return found === wanted ? undefined : 'error'
    case 'min.insync.replicas':
      return Number(found) >= Number(wanted) ? undefined : 'error'
    case 'compression.type':
      if (found === wanted) return undefined
      return READABLE.has(found) ? 'warning' : 'error'
    case 'retention.ms':
      return found === '-1' || Number(found) >= Number(wanted) ? undefined : 'warning'
    default:
      return Number(found) >= Number(wanted) ? undefined : 'warning'
  }
}
