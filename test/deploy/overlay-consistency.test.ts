import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { parseManifest, secretKeysOf, servicesOf, settingsOf, type KubernetesObject } from './manifest.ts'
import { OVERLAYS, renderedFile } from './rendered.ts'

const example = (name: string) => parseManifest(readFileSync(join(ROOT, 'k8s/examples', name), 'utf8'))

/** Overlays with autoscalers: `dev` has one pod of each service. */
const SCALED = OVERLAYS.filter((overlay) => overlay !== 'dev')

/** Connections to Postgres of one pod of each service, all pools together (docs/kubernetes.md). */
const CONNECTIONS = { ingest: 6, projector: 8, api: 22, 'stream-gateway': 15, 'webhook-worker': 20 } as const

const secrets = Object.fromEntries(
  example('secrets.yaml').map(({ metadata, stringData = {} }) => [metadata.name, stringData] as const),
)

describe.each(OVERLAYS)('k8s/overlays/%s', (overlay) => {
  const objects = parseManifest(readFileSync(renderedFile(overlay), 'utf8'))
  const pods = servicesOf(objects)

  test.each(pods)('gives $kind $name only Secret keys of the template', (pod) => {
    const ours = secretKeysOf(pod).filter((key) => /^events-(admin-)?secrets\//.test(key))
    expect(ours.length).toBeGreaterThan(0)
    expect(ours.filter((key) => secrets[key.split('/')[0] ?? '']?.[key.split('/')[1] ?? ''] === undefined)).toEqual([])
  })

  test('has one name for the image', () => {
    expect(
      new Set(pods.flatMap(({ pod }) => pod.containers.map((container) => (container as { image?: string }).image)))
        .size,
    ).toBe(1)
  })
})

describe.each(SCALED)('k8s/overlays/%s', (overlay) => {
  const objects = parseManifest(readFileSync(renderedFile(overlay), 'utf8'))
  const config = settingsOf(objects)
  const named = (kind: string, name: string) =>
    objects.find((object) => object.kind === kind && object.metadata.name === name) as KubernetesObject

  test('scales on the topic, the groups and the brokers of its settings', () => {
    const triggers = ['projector', 'webhook-worker'].map((name) => {
      const { triggers: all } = named('ScaledObject', name).spec as {
        triggers: readonly { type: string; metadata: Readonly<Record<string, string>> }[]
      }
      return all.find(({ type }) => type === 'kafka')?.metadata
    })
    const shared = { bootstrapServers: config['KAFKA_BROKERS'], topic: config['KAFKA_TOPIC'] }
    expect(triggers).toEqual([
      expect.objectContaining({ ...shared, consumerGroup: `${config['KAFKA_GROUP_PREFIX']}-projector` }),
      expect.objectContaining({ ...shared, consumerGroup: `${config['KAFKA_GROUP_PREFIX']}-webhook-matcher` }),
    ])
    const most = Number(named('ScaledObject', 'projector').spec['maxReplicaCount'])
    expect(most).toBeLessThanOrEqual(Number(config['KAFKA_PARTITIONS']))
  })

  test('opens fewer connections at its largest than Postgres of the example takes', () => {
    const sum = Object.entries(CONNECTIONS).reduce((total, [service, connections]) => {
      const scaler = named('HorizontalPodAutoscaler', service) ?? named('ScaledObject', service)
      // One more pod of each during a rolling update.
      const replicas = Number(scaler.spec['maxReplicas'] ?? scaler.spec['maxReplicaCount']) + 1
      return total + replicas * connections
    }, 0)
    const cluster = example('postgres-cloudnativepg.yaml').find(({ kind }) => kind === 'Cluster') as KubernetesObject
    const { parameters } = cluster.spec['postgresql'] as { parameters: Readonly<Record<string, string>> }
    // Postgres keeps 3 for superusers; `migrate`, operator commands and backups need some.
    expect(sum).toBeLessThanOrEqual(Number(parameters['max_connections']) - 20)
  })
})
