import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { parseManifest, secretKeysOf, servicesOf, settingsOf, type KubernetesObject, type Pod } from './manifest.ts'
import { decideConnection, type Endpoint } from './network-policy.ts'
import { OVERLAYS, renderedFile } from './rendered.ts'

type Labels = Readonly<Record<string, string>>
type Connection = readonly [from: Endpoint, to: Endpoint, port: number]

const example = (name: string) => parseManifest(readFileSync(join(ROOT, 'k8s/examples', name), 'utf8'))

/** The examples of an overlay's backends. `dev` has its own. */
const EXAMPLES: Readonly<Record<(typeof OVERLAYS)[number], readonly string[]>> = {
  dev: [],
  production: ['postgres-cloudnativepg.yaml', 'redis.yaml'],
  'production-aws': [],
}

/** `host:port` of the managed backends of an overlay whose Secret is not the one of k8s/examples. */
const MANAGED: Readonly<Record<string, Labels>> = {
  'production-aws': {
    DATABASE_URL: 'events.example.eu-central-1.rds.amazonaws.com:5432',
    REDIS_URL: 'master.events.example.cache.amazonaws.com:6379',
  },
}

/** Services of the backends in the cluster, and the pods behind them. */
const IN_CLUSTER: readonly (readonly [RegExp, Labels])[] = [
  [/^events-kafka-bootstrap\.kafka$/, { 'strimzi.io/cluster': 'events' }],
  [/^events-rw\./, { 'cnpg.io/cluster': 'events' }],
  [/^redis\./, { 'app.kubernetes.io/name': 'redis' }],
  [/^kafka$/, { 'app.kubernetes.io/name': 'kafka' }],
  [/^postgres$/, { 'app.kubernetes.io/name': 'postgres' }],
  [/^redis$/, { 'app.kubernetes.io/name': 'redis' }],
]

const outside = (name: string, address: string): Endpoint => ({ name, address })
const pods = (name: string, namespace: string, labels: Labels = {}): Endpoint => ({ name, namespace, labels })

/** An address inside the VPC of the overlay `production-aws`, and one of the internet. */
const IN_VPC = '10.0.12.34'
const INTERNET = outside('a receiver of webhooks', '203.0.113.7')
const STRANGER = pods('a pod of another team', 'other')
const KEDA = pods('KEDA', 'keda')
const CNPG = pods('CloudNativePG', 'cnpg-system')
const GATEWAY: Endpoint = { ...pods('the gateway', 'gateway'), namespaceLabels: { 'ariftly.io/gateway': 'true' } }
const PROMETHEUS: Endpoint = {
  ...pods('Prometheus', 'monitoring'),
  namespaceLabels: { 'ariftly.io/monitoring': 'true' },
}

const secrets = Object.fromEntries(
  example('secrets.yaml').map(({ metadata, stringData = {} }) => [metadata.name, stringData] as const),
)

describe.each(OVERLAYS)('the network policies of k8s/overlays/%s with its examples', (overlay) => {
  const rendered = parseManifest(readFileSync(renderedFile(overlay), 'utf8'))
  const namespace = rendered.find(({ kind }) => kind === 'Namespace')?.metadata.name ?? ''
  const objects: readonly KubernetesObject[] = [
    ...rendered,
    ...EXAMPLES[overlay].flatMap(example).map((object) => ({ ...object, metadata: { ...object.metadata, namespace } })),
  ]
  const config = settingsOf(objects)
  const own = servicesOf(rendered).map((pod) => ({ pod, end: endOf(pod, namespace) }))
  const service = (name: string) => own.find(({ pod }) => pod.name === name)?.end as Endpoint
  const postgres = pods(
    'Postgres',
    namespace,
    overlay === 'dev' ? { 'app.kubernetes.io/name': 'postgres' } : { 'cnpg.io/cluster': 'events' },
  )
  const receiver = pods('a receiver in the cluster', 'agents', { 'ariftly.io/receiver': 'true' })

  /** `dev` has its own Secrets. */
  function secretOf(key: string): string {
    const { data } =
      rendered.find(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'events-secrets') ?? {}
    return data === undefined
      ? (secrets['events-secrets']?.[key] ?? '')
      : Buffer.from(data[key] ?? '', 'base64').toString()
  }

  /** Every backend that a pod's settings name. */
  function backendsOf(pod: Pod): readonly (readonly [Endpoint, number])[] {
    const keys = secretKeysOf(pod).map((key) => key.split('/')[1] ?? '')
    const addresses = [
      ...(pod.labels['ariftly.io/kafka'] === 'client' ? (config['KAFKA_BROKERS'] ?? '').split(',') : []),
      ...['DATABASE_URL', 'REDIS_URL']
        .filter((key) => keys.includes(key))
        .map((key) => MANAGED[overlay]?.[key] ?? new URL(secretOf(key)).host),
    ]
    return addresses.map((text) => {
      const [host = '', port] = text.split(':')
      const labels = IN_CLUSTER.find(([pattern]) => pattern.test(host))?.[1]
      const where = host.endsWith('.kafka') ? 'kafka' : namespace
      return [
        labels === undefined ? outside(host, IN_VPC) : { ...pods(host, where, labels), namedPorts: { redis: 6379 } },
        Number(port),
      ]
    })
  }

  const toBackends = own.flatMap(({ pod, end }) =>
    backendsOf(pod).map(([backend, port]): Connection => [end, backend, port]),
  )
  const aroundBackends: readonly Connection[] =
    overlay === 'production'
      ? [
          [postgres, postgres, 5432], // A replica follows the primary.
          [CNPG, postgres, 8000],
          [KEDA, postgres, 5432], // The scaler of the webhook worker counts due deliveries.
          [PROMETHEUS, postgres, 9187],
          [postgres, outside('the store of backups', '198.51.100.9'), 443],
          [postgres, outside('the API server', '10.96.0.1'), 443],
        ]
      : []
  const front = {
    dev: pods('nginx', namespace, { 'app.kubernetes.io/name': 'nginx' }),
    production: GATEWAY,
    'production-aws': outside('the load balancer', IN_VPC),
  }[overlay]
  const around: readonly Connection[] = [
    ...['ingest', 'api', 'stream-gateway'].map((name): Connection => [front, service(name), 8080]),
    ...own
      .filter(({ end }) => end.namedPorts?.['metrics'] !== undefined)
      .map(({ end }): Connection => [PROMETHEUS, end, 9090]),
    [service('webhook-worker'), INTERNET, 443],
    [service('api'), INTERNET, 443],
    ...(overlay === 'dev' ? ([[service('webhook-worker'), receiver, 8080]] as const) : []),
  ]

  test('let every connection through that is in use', () => {
    expect(toBackends.length).toBeGreaterThanOrEqual(16)
    const connections = [...toBackends, ...aroundBackends, ...around]
    expect(refused(connections)).toEqual([])
  })

  test('refuse unused connections', () => {
    const strange: readonly Connection[] = [
      ...toBackends.map(([from, backend]): Connection => [from, backend, 6666]),
      ...own.map(({ end }): Connection => [STRANGER, end, 8080]),
      ...own.map(({ end }): Connection => [INTERNET, end, 9090]),
      [GATEWAY, service('ingest'), 9090],
      [service('webhook-worker'), outside('the metadata of the cloud', '169.254.169.254'), 80],
      [service('webhook-worker'), outside('an inner host', '172.20.0.5'), 443],
      [service('ingest'), INTERNET, 443],
      [service('projector'), INTERNET, 443],
      ...(overlay === 'production-aws' ? [] : ([[STRANGER, postgres, 5432]] as const)),
      ...(overlay === 'dev' ? [] : ([[service('webhook-worker'), receiver, 8080]] as const)),
    ]
    expect(refused(strange)).toHaveLength(strange.length)
  })

  function refused(connections: readonly Connection[]): readonly string[] {
    return connections.flatMap(([from, to, port]) => {
      const decision = decideConnection(objects, from, to, port)
      return decision === 'allowed' ? [] : [`${from.name} to ${to.name}:${port}: ${decision}`]
    })
  }
})

test('a policy that selects all pods of the namespace shuts Postgres in', () => {
  const objects = parseManifest(readFileSync(renderedFile('production'), 'utf8'))
  const deny = objects.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'default-deny')
  const all = [{ ...(deny as KubernetesObject), spec: { ...deny?.spec, podSelector: {} } }]
  const postgres = pods('Postgres', 'ariftly', { 'cnpg.io/cluster': 'events' })
  expect(decideConnection(all, CNPG, postgres, 8000)).toBe('refused by the receiver')
  expect(decideConnection(all, postgres, postgres, 5432)).toBe('refused by the sender')
})

function endOf({ name, labels, pod }: Pod, namespace: string): Endpoint {
  const ports = pod.containers.flatMap(({ ports: list = [] }) => list)
  return {
    name,
    namespace,
    labels,
    namedPorts: Object.fromEntries(ports.map(({ name: port, containerPort }) => [port, containerPort])),
  }
}
