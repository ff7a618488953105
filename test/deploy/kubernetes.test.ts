import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROUTES } from '@ariftly/http'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { ROOT } from '../docs/markdown.ts'
import { runChecker } from '../support/run-checker.ts'
import { backendOf, renderHttpRoute, type HttpRouteRule } from './http-route.ts'
import { parseManifest, podsOf, secretKeysOf, servicesOf, settingsOf } from './manifest.ts'
import { renderNginxConf } from './nginx-conf.ts'
import { hashOfInputs, OVERLAYS, render, renderedFile } from './rendered.ts'
import { PROMETHEUS_RULE, renderPrometheusRule } from './prometheus-rule.ts'
import { withRunbookUrls } from './runbooks.ts'
import { samplePath } from './route-groups.ts'
import { faultsOfEnvironment } from './service-settings.ts'
import { PROMETHEUS } from './telemetry-files.ts'

const HTTP_ROUTE = join(ROOT, 'k8s/base/http-route.yaml')
const NGINX_CONF = join(ROOT, 'deploy/nginx/nginx.conf')

if (process.env['UPDATE_DOCS'] === '1') {
  for (const name of ['alerts.yml', 'alerts.test.yml'])
    writeFileSync(join(PROMETHEUS, name), withRunbookUrls(readFileSync(join(PROMETHEUS, name), 'utf8')))
  writeFileSync(HTTP_ROUTE, renderHttpRoute())
  writeFileSync(NGINX_CONF, renderNginxConf())
  writeFileSync(PROMETHEUS_RULE, renderPrometheusRule())
  for (const overlay of OVERLAYS) {
    const text = render(overlay)
    if (text !== undefined) writeFileSync(renderedFile(overlay), text)
  }
}

describe('k8s/base/http-route.yaml', () => {
  const { spec } = parse(readFileSync(HTTP_ROUTE, 'utf8')) as { spec: { rules: readonly HttpRouteRule[] } }

  test('is what the route table makes (write it again with: npm run generate)', () => {
    expect(readFileSync(HTTP_ROUTE, 'utf8')).toBe(renderHttpRoute())
  })

  test.each(ROUTES)('sends $method $path to $service', ({ method, path, service }) => {
    expect(backendOf(spec.rules, { method, path: samplePath(path) })).toBe(service)
  })

  test('routes preflights and HEAD like their method, and exposes no path of operators', () => {
    const headers = { 'Access-Control-Request-Method': 'POST' }
    expect(backendOf(spec.rules, { method: 'OPTIONS', path: '/v1/events', headers })).toBe('ingest')
    expect(backendOf(spec.rules, { method: 'HEAD', path: '/v1/events' })).toBe('api')
    for (const path of ['/metrics', '/livez', '/readyz', '/.well-known/acme-challenge/x']) {
      expect(backendOf(spec.rules, { method: 'GET', path })).toBeUndefined()
    }
  })
})

test('the PrometheusRule has the alerts of deploy/prometheus (write it with: npm run generate)', () => {
  expect(readFileSync(PROMETHEUS_RULE, 'utf8')).toBe(renderPrometheusRule())
})

describe.each(OVERLAYS)('k8s/overlays/%s', (overlay) => {
  const text = existsSync(renderedFile(overlay)) ? readFileSync(renderedFile(overlay), 'utf8') : ''
  const objects = parseManifest(text)
  const of = (kind: string) => objects.filter((object) => object.kind === kind)
  const pods = servicesOf(objects)
  const config = settingsOf(objects)

  test('is rendered from the current folders (kustomize is needed to write it again: npm run generate)', () => {
    expect(/^# inputs (\w+)$/m.exec(text)?.[1]).toBe(hashOfInputs(overlay))
    const rendered = render(overlay)
    // Where it is not installed only the hash above is checked; continuous integration installs it and sets REQUIRE_TOOLS.
    if (rendered === undefined) expect(process.env['REQUIRE_TOOLS'] ?? 'not asked for').toBe('not asked for')
    else expect(rendered).toBe(text)
  })

  test('fits the schemas of Kubernetes, Gateway API and KEDA', () => {
    expect(runChecker('kubernetes', text)).toEqual([])
  })

  test('has each service, with a budget for disruptions and something that scales it', () => {
    const services = ['api', 'ingest', 'projector', 'stream-gateway', 'webhook-worker']
    const names = (kind: string) => of(kind).map(({ metadata }) => metadata.name)
    expect(names('Deployment').toSorted()).toEqual([...services, ...(overlay === 'dev' ? ['nginx'] : [])].toSorted())
    expect(names('PodDisruptionBudget').toSorted()).toEqual(services)
    const scaled = [...names('HorizontalPodAutoscaler'), ...names('ScaledObject')]
    expect(scaled.toSorted()).toEqual(overlay === 'dev' ? [] : services)
    // The autoscalers alone set the number of replicas.
    expect(of('Deployment').filter(({ spec }) => 'replicas' in spec)).toEqual([])
    const [namespace] = of('Namespace')
    const rest = objects.filter(({ kind }) => kind !== 'Namespace')
    expect(rest.map(({ metadata }) => metadata.namespace)).toEqual(rest.map(() => namespace?.metadata.name))
  })

  test.each(pods)('runs $name as the restricted profile asks', ({ pod }) => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(pod.automountServiceAccountToken).toBe(false)
    for (const container of pod.containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      })
      expect(container.resources.limits.memory).toBeDefined()
    }
  })

  test.each(pods)('sets for $name only settings of its config, and all required ones', ({ pod }) => {
    for (const { args, env } of pod.containers) {
      const own = Object.fromEntries(env.map(({ name, value }) => [name, value]))
      const command = args.includes('--check') ? args.join(' ') : (args[0] ?? '')
      expect(faultsOfEnvironment(command, own, config)).toEqual([])
    }
  })

  test.each(podsOf(objects))('runs $name where Pod Security is restricted', ({ pod }) => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    for (const { securityContext } of pod.containers)
      expect(securityContext).toMatchObject({ allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } })
  })

  test.each(pods.filter(({ kind }) => kind === 'Deployment'))(
    'gives $name three different probes and time to drain',
    ({ pod }) => {
      const [container] = pod.containers
      const probes = [container?.startupProbe, container?.readinessProbe, container?.livenessProbe].map((probe) =>
        JSON.stringify(probe),
      )
      expect(new Set(probes).size).toBe(3)
      expect(probes[1]).toContain('/readyz')
      expect(probes[2]).toContain('/livez')
      const drainS = Number(container?.env.find(({ name }) => name === 'DRAIN_MS')?.value) / 1000
      const beforeS = container?.lifecycle?.preStop.sleep.seconds ?? 0
      expect(beforeS).toBeGreaterThan(0)
      expect(pod.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(beforeS + drainS + 5)
      expect(pod.topologySpreadConstraints.length).toBe(2)
    },
  )

  test('lets only senders of webhooks reach the internet, and no pod anything that is not listed', () => {
    const policies = of('NetworkPolicy')
    const world = policies.filter(({ spec }) => JSON.stringify(spec['egress'] ?? []).includes('0.0.0.0/0'))
    expect(world.map(({ spec }) => spec['podSelector'])).toEqual([{ matchLabels: { 'ariftly.io/webhooks': 'client' } }])
    const senders = pods.filter(({ labels }) => labels['ariftly.io/webhooks'] === 'client')
    expect(senders.map(({ name }) => name).toSorted()).toEqual(['api', 'webhook-worker'])
    const deny = policies.find(({ metadata }) => metadata.name === 'default-deny')
    // It must not select backends in the namespace: an empty selector would block them.
    const podSelector = { matchLabels: { 'app.kubernetes.io/part-of': 'ariftly-events' } }
    expect(deny?.spec).toEqual({ podSelector, policyTypes: ['Ingress', 'Egress'] })
    for (const { labels } of pods) expect(labels).toMatchObject(podSelector.matchLabels)
  })
})

describe('the overlay dev', () => {
  const objects = parseManifest(readFileSync(renderedFile('dev'), 'utf8'))
  const { services } = parse(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
    services: Readonly<Record<string, { image: string; environment?: Readonly<Record<string, string>> }>>
  }
  const containerOf = (name: string) => podsOf(objects).find((pod) => pod.name === name)?.pod.containers[0]

  test('needs nothing that a new cluster does not have', () => {
    const groups = new Set(objects.map(({ apiVersion }) => apiVersion.split('/').at(-2) ?? 'core'))
    expect([...groups].toSorted()).toEqual(['apps', 'batch', 'core', 'networking.k8s.io', 'policy'])
    expect(objects.filter(({ spec }) => JSON.stringify(spec ?? {}).includes('volumeClaimTemplates'))).toEqual([])
    // Every Secret that a pod mounts, with the keys.
    const secrets = objects.filter(({ kind }) => kind === 'Secret')
    const made = secrets.flatMap(({ metadata, data = {} }) => Object.keys(data).map((key) => `${metadata.name}/${key}`))
    const mounted = podsOf(objects).flatMap(secretKeysOf)
    expect(mounted.filter((key) => !made.includes(key))).toEqual([])
  })

  test.each(['kafka', 'postgres', 'redis', 'nginx'])('runs %s from the image of docker-compose.yml', (name) => {
    expect(containerOf(name)?.image).toBe(services[name]?.image)
  })

  test('starts its broker with the settings of docker-compose.yml, but for listeners and memory', () => {
    const own = Object.fromEntries((containerOf('kafka')?.env ?? []).map(({ name, value }) => [name, value]))
    expect(shared(own)).toEqual(shared(services['kafka']?.environment ?? {}))
    expect(own['KAFKA_ADVERTISED_LISTENERS']).toBe(`PLAINTEXT://${settingsOf(objects)['KAFKA_BROKERS']}`)
  })

  test('gives nginx the services by their addresses in the cluster', () => {
    const [, sed = ''] =
      /^(sed .+) \/etc\/nginx-conf\/nginx\.conf >/.exec(containerOf('nginx')?.command?.[2] ?? '') ?? []
    const { stdout } = spawnSync('sh', ['-c', `${sed} deploy/nginx/nginx.conf`], { cwd: ROOT, encoding: 'utf8' })
    expect(stdout.match(/^ *server [\w-]+:.*$/gm)?.map((line) => line.trim().split(' ')[1])).toEqual(
      ['ingest', 'api', 'stream-gateway'].map((name) => `${name}:80`),
    )
    expect(stdout).not.toMatch(/resolve/)
    const ports = objects
      .filter(({ kind }) => kind === 'Service')
      .map(({ metadata, spec }) => [metadata.name, spec['ports']])
    expect(Object.fromEntries(ports)).toMatchObject({ ingest: [{ port: 80 }], api: [{ port: 80 }] })
  })
})

test('a manifest that does not fit the schemas is found', () => {
  const broken = readFileSync(renderedFile('production'), 'utf8').replace('maxReplicas: ', 'maxReplicas: x')
  expect(runChecker('kubernetes', broken)).toEqual([
    'HorizontalPodAutoscaler/api: data/spec/maxReplicas must be integer',
  ])
})

/** Settings of the broker without listeners and memory. */
function shared(env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/LISTENER|VOTERS|HEAP/.test(name)))
}
