import { parseAllDocuments } from 'yaml'

/** A container as the manifests have it. */
interface Container {
  readonly name: string
  readonly image: string
  readonly args: readonly string[]
  readonly command?: readonly string[]
  readonly env: readonly { readonly name: string; readonly value: string }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly securityContext: object
  readonly startupProbe?: unknown
  readonly readinessProbe?: unknown
  readonly livenessProbe?: unknown
  readonly resources: { readonly limits: { readonly memory?: string } }
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } }
}

interface SecretItems {
  readonly secretName?: string
  readonly name?: string
  readonly items?: readonly { readonly key: string; readonly path: string }[]
}

/** The part of a PodSpec that the tests read. */
interface PodSpec {
  readonly containers: readonly Container[]
  readonly securityContext: object
  readonly automountServiceAccountToken: boolean
  readonly terminationGracePeriodSeconds: number
  readonly topologySpreadConstraints: readonly object[]
  readonly volumes?: readonly {
    readonly name: string
    readonly secret?: SecretItems
    readonly projected?: { readonly sources: readonly { readonly secret?: SecretItems }[] }
  }[]
}

/** A Kubernetes object; `spec` depends on the kind. */
export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
  readonly spec: Readonly<Record<string, unknown>>
}

/** A pod template with its owner. */
export interface Pod {
  readonly kind: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly pod: PodSpec
}

interface Template {
  readonly template: {
    readonly metadata: { readonly labels: Readonly<Record<string, string>> }
    readonly spec: PodSpec
  }
}

/** The objects of a file of YAML documents. */
export function parseManifest(text: string): readonly KubernetesObject[] {
  return parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject)
}

/** Every pod template: of Deployments, StatefulSets, Jobs and CronJobs. */
export function podsOf(objects: readonly KubernetesObject[]): readonly Pod[] {
  return objects.flatMap(({ kind, metadata, spec }) => {
    const owner = kind === 'CronJob' ? (spec['jobTemplate'] as { spec: Template }).spec : (spec as unknown as Template)
    if (!['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind)) return []
    return [{ kind, name: metadata.name, labels: owner.template.metadata.labels, pod: owner.template.spec }]
  })
}

/** The pod templates of our services and commands, without backends and nginx. */
export function servicesOf(objects: readonly KubernetesObject[]): readonly Pod[] {
  return podsOf(objects).filter(({ labels }) => labels['app.kubernetes.io/part-of'] === 'ariftly-events')
}

/** The settings that all services share. */
export function settingsOf(objects: readonly KubernetesObject[]): Readonly<Record<string, string>> {
  return (
    objects.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.startsWith('events-config'))?.data ?? {}
  )
}

/** Keys of Secrets that a pod mounts, as `secret/key`; the Secrets of certificate authorities are the operators'. */
export function secretKeysOf({ pod }: Pod): readonly string[] {
  const sources = (pod.volumes ?? []).flatMap(({ secret, projected }) => [
    ...(secret === undefined ? [] : [secret]),
    ...(projected?.sources.flatMap((source) => (source.secret === undefined ? [] : [source.secret])) ?? []),
  ])
  return sources.flatMap(({ secretName, name, items = [] }) =>
    items.map(({ key }) => `${secretName ?? name ?? ''}/${key}`),
  )
}
