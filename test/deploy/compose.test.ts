import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrateConfig } from '@ariftly-services/migrate'
import { readConfig } from '@ariftly/runtime'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { fencedBlocks, readPage, ROOT } from '../docs/markdown.ts'
import { runChecker } from '../support/run-checker.ts'
import { faultsOfEnvironment } from './service-settings.ts'

interface ComposeService {
  readonly image?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly deploy?: { readonly resources: { readonly limits: { readonly memory: string } } }
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly profiles?: readonly string[]
  readonly ports?: readonly string[]
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly healthcheck?: { readonly test?: readonly string[] }
}

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
const compose = parse(text, { merge: true }) as { readonly services: Readonly<Record<string, ComposeService>> }
const services = Object.entries(compose.services).map(([name, service]) => ({ name, service }))
const own = services.filter(({ service }) => service.image?.startsWith('ariftly/') === true)

describe('docker-compose.yml', () => {
  test('fits the schema of the Compose Specification', () => {
    expect(runChecker('compose', text)).toEqual([])
    expect(runChecker('compose', text.replace('restart: unless-stopped', 'restart: 5'))).not.toEqual([])
  })

  // Docker's own reading of it. Version 1, of Debian 12, does not support the Compose Specification; there only the schema above is checked.
  test('is read by docker-compose', () => {
    const version = spawnSync('docker-compose', ['version', '--short'], { encoding: 'utf8' })
    if (version.error !== undefined || version.stdout.startsWith('1.')) {
      expect(process.env['REQUIRE_TOOLS'] ?? 'not asked for').toBe('not asked for')
      return
    }
    const { status, stderr } = spawnSync('docker-compose', ['--profile', 'observability', 'config', '--quiet'], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  test('has the five services and migrate, of one image', () => {
    expect(own.map(({ name }) => name).toSorted()).toEqual([
      'api',
      'ingest',
      'migrate',
      'projector',
      'stream-gateway',
      'webhook-worker',
    ])
    expect(new Set(own.map(({ service }) => service.image)).size).toBe(1)
  })

  test.each(own)('gives $name only settings of its config, and all required ones', ({ service }) => {
    const environment = Object.entries(service.environment ?? {}).map(([name, value]) => [name, withDefaults(value)])
    expect(
      faultsOfEnvironment(service.command?.[0] ?? '', Object.fromEntries(environment) as Record<string, string>),
    ).toEqual([])
  })

  test.each(own)(
    'runs $name on a read-only file system without capabilities, after what it needs',
    ({ name, service }) => {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'] })
      const needs = Object.entries(service.depends_on ?? {}).map(([other, { condition }]) => `${other} ${condition}`)
      if (name === 'migrate') expect(needs).toEqual(['kafka service_healthy', 'postgres service_healthy'])
      else expect(needs).toContain('migrate service_completed_successfully')
    },
  )

  test.each(services.filter(({ name }) => name !== 'migrate'))('limits the memory of $name', ({ service }) => {
    expect(service.deploy?.resources.limits.memory).toMatch(/^\d+M$/)
  })

  test('does not open default keys or passwords to others: migrate refuses, and every service waits for it', () => {
    const { environment = {} } = compose.services['migrate'] ?? {}
    const published = Object.entries(environment).map(([name, value]) => [name, withDefaults(value)])
    const env = Object.fromEntries(published) as Record<string, string>
    expect(() => readConfig(migrateConfig, env)).not.toThrow()
    expect(() => readConfig(migrateConfig, { ...env, LISTEN_HOST: '127.0.0.2' })).not.toThrow()
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.com'])
      expect(() => readConfig(migrateConfig, { ...env, LISTEN_HOST: host })).toThrow(
        /LISTEN_HOST is open to others while ARIFTLY_BOOTSTRAP_KEY, ENCRYPTION_KEYS, POSTGRES_PASSWORD have/,
      )
    const ownKeys = {
      LISTEN_HOST: '0.0.0.0',
      ARIFTLY_BOOTSTRAP_KEY: 'a-key-of-ones-own-000000000001',
      ENCRYPTION_KEYS: `own:${Buffer.alloc(32, 7).toString('base64')}`,
    }
    expect(() => readConfig(migrateConfig, { ...env, ...ownKeys })).toThrow(/while POSTGRES_PASSWORD has the value/)
    const databaseUrl = 'postgres://ariftly:of-ones-own@postgres:5432/ariftly'
    expect(() => readConfig(migrateConfig, { ...env, ...ownKeys, DATABASE_URL: databaseUrl })).not.toThrow()
  })

  test('the keys that docs/operations/run.md makes are such that others may reach it', () => {
    const [make = ''] = fencedBlocks(readPage('docs/operations/run.md'), 'sh')
    const folder = mkdtempSync(join(tmpdir(), 'ariftly-compose-'))
    const { status, stderr } = spawnSync('sh', ['-e'], { cwd: folder, input: make, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const lines = readFileSync(join(folder, '.env'), 'utf8').trim().split('\n')
    rmSync(folder, { recursive: true })
    const made = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s)))
    const { environment = {} } = compose.services['migrate'] ?? {}
    const env = Object.entries(environment).map(([name, value]) => [
      name,
      filledIn(value, { ...made, LISTEN_HOST: '::' }),
    ])
    expect(() => readConfig(migrateConfig, Object.fromEntries(env) as Record<string, string>)).not.toThrow()
  })

  test('leaves Redis the memory that it takes while it rewrites its file', () => {
    const { command = [], deploy } = compose.services['redis'] ?? {}
    const allowed = Number.parseInt(command[command.indexOf('--maxmemory') + 1] ?? '', 10)
    expect(Number.parseInt(deploy?.resources.limits.memory ?? '', 10)).toBeGreaterThan(2 * allowed)
  })

  test('asks after the health of Kafka without a JVM', () => {
    expect(compose.services['kafka']?.healthcheck?.test).not.toContainEqual(expect.stringMatching(/\.sh$/))
  })

  test('lets webhooks reach the given ranges, from both services that send them', () => {
    for (const name of ['api', 'webhook-worker'])
      expect(compose.services[name]).toMatchObject({
        environment: { WEBHOOK_ALLOW_CIDRS: '${WEBHOOK_ALLOW_CIDRS:-}' },
        extra_hosts: ['host.docker.internal:host-gateway'],
      })
  })

  test('opens only the ports of Kafka, nginx and the dashboards, on this machine alone', () => {
    const open = services.filter(({ service }) => service.ports !== undefined)
    expect(open.map(({ name }) => name)).toEqual(['kafka', 'nginx', 'prometheus', 'grafana', 'traces'])
    for (const { service } of open)
      expect(service.ports?.map(withDefaults).every((port) => port.startsWith('127.0.0.1:'))).toBe(true)
  })

  test('sends traces where its first lines say, to a service that all can reach', () => {
    const [, collector = ''] =
      /OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/(\w+):4318 docker compose --profile/.exec(text) ?? []
    expect(compose.services[collector]?.profiles).toEqual(['observability'])
    for (const { name, service } of own.filter((one) => one.name !== 'migrate')) {
      const shared = service.networks?.filter((network) => compose.services[collector]?.networks?.includes(network))
      expect({ name, shared }).toEqual({ name, shared: expect.arrayContaining(['inside']) })
      expect(withDefaults(service.environment?.['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? 'none')).toBe('')
    }
  })

  test('mounts only existing files', () => {
    const sources = services.flatMap(({ service }) => service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '')
    expect(sources.filter((source) => source.startsWith('./') && !existsSync(join(ROOT, source)))).toEqual([])
  })
})

describe('the image', () => {
  test('knows every service, and refuses others', () => {
    const script = readFileSync(join(ROOT, 'deploy/image/entrypoint.sh'), 'utf8')
    for (const name of readdirSync(join(ROOT, 'services'))) expect(script).toMatch(new RegExp(`[ |]${name}[ )]`))
    for (const args of [['nonsense'], []]) {
      const { status, stderr } = spawnSync('sh', [join(ROOT, 'deploy/image/entrypoint.sh'), ...args], {
        encoding: 'utf8',
      })
      expect({ status, stderr }).toEqual({
        status: 64,
        stderr: expect.stringContaining(`no service '${args[0] ?? ''}'. There are: ingest,`),
      })
    }
  })

  // No service can start without addresses, so none is the default; a frontend of its own would be one more image to fetch.
  test('has no default command, and builds with the frontend of the engine', () => {
    expect(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')).not.toMatch(/^(CMD|# syntax=)/m)
  })

  test('runs as an unprivileged user, on Node 24, under an init, with a health check', () => {
    const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8')
    for (const line of ['ARG NODE_VERSION=24', 'USER 1000:1000', 'ENTRYPOINT ["tini", "--"', 'HEALTHCHECK'])
      expect(dockerfile).toContain(line)
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
      sources.split(' '),
    )
    const sent = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')
    for (const source of copied) {
      expect({ source, exists: existsSync(join(ROOT, source)) }).toEqual({ source, exists: true })
      expect(sent.some((line) => `${source}/`.startsWith(`${line.slice(1)}/`))).toBe(true)
    }
  })
})

/** Compose's `${NAME:-default}` without NAME. */
function withDefaults(value: string): string {
  return filledIn(value, {})
}

/** Compose's `${NAME:-default}` with some names. */
function filledIn(value: string, names: Readonly<Record<string, string | undefined>>): string {
  return value.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, fallback: string) => names[name] ?? fallback)
}
