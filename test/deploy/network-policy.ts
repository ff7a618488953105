import type { KubernetesObject } from './manifest.ts'

/** One end of a connection: pods of a namespace, or an address outside of the cluster. */
export interface Endpoint {
  /** For the messages of tests. */
  readonly name: string
  readonly namespace?: string
  readonly namespaceLabels?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** IPv4, for ends outside of the cluster. */
  readonly address?: string
  /** Ports of the pod's containers by name. */
  readonly namedPorts?: Readonly<Record<string, number>>
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values: readonly string[]
  }[]
}

interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] }
}

interface Port {
  readonly port?: number | string
  readonly endPort?: number
  readonly protocol?: string
}

interface Rule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
  readonly ports?: readonly Port[]
}

interface Policy {
  readonly podSelector: Selector
  readonly policyTypes: readonly ('Ingress' | 'Egress')[]
  readonly ingress?: readonly Rule[]
  readonly egress?: readonly Rule[]
}

/**
 * Returns what the network policies among `objects` decide about a TCP connection, as Kubernetes defines them: an end that some policy selects for
 * a direction is open to what a rule of such a policy names, an end that none selects is open to all
 * (https://kubernetes.io/docs/concepts/services-networking/network-policies/).
 * @returns `allowed`, or which end refuses.
 */
export function decideConnection(
  objects: readonly KubernetesObject[],
  from: Endpoint,
  to: Endpoint,
  port: number,
): 'allowed' | 'refused by the sender' | 'refused by the receiver' {
  const target = { end: to, port }
  if (!permits(objects, 'Egress', from, { peer: to, ...target })) return 'refused by the sender'
  if (!permits(objects, 'Ingress', to, { peer: from, ...target })) return 'refused by the receiver'
  return 'allowed'
}

interface Connection {
  /** The other end, as `self` sees it. */
  readonly peer: Endpoint
  /** The end that listens. */
  readonly end: Endpoint
  readonly port: number
}

function permits(
  objects: readonly KubernetesObject[],
  direction: 'Ingress' | 'Egress',
  self: Endpoint,
  connection: Connection,
): boolean {
  const policies = objects.filter(
    ({ kind, metadata, spec }) =>
      kind === 'NetworkPolicy' &&
      metadata.namespace === self.namespace &&
      selects((spec as unknown as Policy).podSelector, self.labels ?? {}) &&
      (spec as unknown as Policy).policyTypes.includes(direction),
  )
  if (policies.length === 0) return true
  return policies.some(({ metadata, spec }) => {
    const { ingress = [], egress = [] } = spec as unknown as Policy
    return (direction === 'Ingress' ? ingress : egress).some(({ from, to, ports }) => {
      const peers = direction === 'Ingress' ? from : to
      return (
        (peers === undefined || peers.some((peer) => matches(peer, metadata.namespace, connection.peer))) &&
        (ports === undefined || ports.some((port) => includes(port, connection)))
      )
    })
  })
}

function matches({ podSelector, namespaceSelector, ipBlock }: Peer, namespace: string, end: Endpoint): boolean {
  if (ipBlock !== undefined) {
    const { address } = end
    if (address === undefined || !within(address, ipBlock.cidr)) return false
    return !(ipBlock.except ?? []).some((cidr) => within(address, cidr))
  }
  if (end.namespace === undefined) return false
  const inNamespace =
    namespaceSelector === undefined
      ? end.namespace === namespace
      : selects(namespaceSelector, { 'kubernetes.io/metadata.name': end.namespace, ...end.namespaceLabels })
  return inNamespace && (podSelector === undefined || selects(podSelector, end.labels ?? {}))
}

function includes({ port, endPort, protocol = 'TCP' }: Port, { end, port: wanted }: Connection): boolean {
  if (protocol !== 'TCP') return false
  if (port === undefined) return true
  const first = typeof port === 'string' ? end.namedPorts?.[port] : port
  return first !== undefined && wanted >= first && wanted <= (endPort ?? first)
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
