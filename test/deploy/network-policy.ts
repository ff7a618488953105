import type { KubernetesObject } from './manifest.ts'

/** A backend as a network policy sees it: labels of its pods when it is in the cluster, else an address of the example VPC. */
export interface Backend {
  readonly host: string
  readonly port: number
  readonly labels?: Readonly<Record<string, string>>
  readonly address?: string
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values: readonly string[]
  }[]
}

interface EgressRule {
  readonly to: readonly {
    readonly podSelector?: Selector
    readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
  }[]
  readonly ports: readonly { readonly port: number | string; readonly endPort?: number; readonly protocol?: string }[]
}

/** An address inside the VPC of the example overlay. */
const IN_VPC = '10.0.12.34'

/** Names of Services of the backends in the cluster, and the labels of the pods behind them. */
const IN_CLUSTER: readonly (readonly [RegExp, Readonly<Record<string, string>>])[] = [
  [/^events-kafka-bootstrap\.kafka$/, { 'strimzi.io/cluster': 'events' }],
  [/^events-rw\.[\w-]+$/, { 'cnpg.io/cluster': 'events' }],
  [/^redis\.[\w-]+$/, { 'app.kubernetes.io/name': 'redis' }],
]

/** Reads `host:port` pairs. */
export function backendsOf(addresses: readonly string[]): readonly Backend[] {
  return addresses.map((text) => {
    const [host = '', port] = text.split(':')
    const labels = IN_CLUSTER.find(([pattern]) => pattern.test(host))?.[1]
    return { host, port: Number(port), ...(labels === undefined ? { address: IN_VPC } : { labels }) }
  })
}

/** Whether some policy that selects pods with these labels lets them open a TCP connection to the backend. */
export function allowsEgress(
  objects: readonly KubernetesObject[],
  pod: Readonly<Record<string, string>>,
  backend: Backend,
): boolean {
  return objects
    .filter(({ kind, spec }) => kind === 'NetworkPolicy' && selects(spec['podSelector'] as Selector, pod))
    .flatMap(({ spec }) => (spec['egress'] ?? []) as readonly EgressRule[])
    .some(
      ({ to, ports }) =>
        to.some((peer) => reaches(peer, backend)) && ports.some((port) => includes(port, backend.port)),
    )
}

function reaches({ podSelector, ipBlock }: EgressRule['to'][number], { labels, address }: Backend): boolean {
  if (ipBlock !== undefined) {
    return (
      address !== undefined &&
      within(address, ipBlock.cidr) &&
      !(ipBlock.except ?? []).some((cidr) => within(address, cidr))
    )
  }
  return labels !== undefined && podSelector !== undefined && selects(podSelector, labels)
}

function includes({ port, endPort, protocol = 'TCP' }: EgressRule['ports'][number], wanted: number): boolean {
  return protocol === 'TCP' && typeof port === 'number' && wanted >= port && wanted <= (endPort ?? port)
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => operator === 'In' && values.includes(labels[key] ?? ''))
  )
}

function within(address: string, cidr: string): boolean {
  const [base = '', bits = '32'] = cidr.split('/')
  if (base.includes(':')) return false
  const mask = bits === '0' ? 0 : (~0 << (32 - Number(bits))) >>> 0
  return (toNumber(address) & mask) === (toNumber(base) & mask)
}

function toNumber(address: string): number {
  return address.split('.').reduce((total, part) => ((total << 8) | Number(part)) >>> 0, 0)
}
