import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { findFreePort, startSupervised, type Supervised } from '@ariftly/local-stack'
import { createWorld, eventually, type World } from '@ariftly/testkit'
import { ROOT } from '../docs/markdown.ts'
import { parseManifest, servicesOf, settingsOf, type Pod } from './manifest.ts'
import { renderedFile } from './rendered.ts'

/** What the image starts for every pod. */
const ENTRYPOINT = join(ROOT, 'deploy/image/entrypoint.sh')
const objects = parseManifest(readFileSync(renderedFile('dev'), 'utf8'))
const pods = servicesOf(objects)
const services = pods.filter(({ kind }) => kind === 'Deployment')

const folder = mkdtempSync(join(tmpdir(), 'ariftly-dev-pods-'))
const running: Supervised[] = []
const ports = new Map<string, { readonly http: string; readonly metrics: string }>()
let world: World

beforeAll(async () => {
  world = await createWorld()
})
afterAll(async () => {
  for (const { pid } of running) process.kill(pid, 'SIGTERM')
  await Promise.all(running.map(({ exited }) => exited))
  await world?.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the pods of k8s/overlays/dev, as processes with their settings and secrets on real backends', () => {
  test('migrate and the check of all backends end well', async () => {
    expect(await runToEnd('migrate')).toEqual({ code: 0, errors: [] })
    expect(await runToEnd('migrate-check')).toEqual({ code: 0, errors: [] })
  })

  test('each service becomes ready, and its health check says so', async () => {
    await Promise.all(services.map(start))
    for (const { name } of services) {
      const METRICS_PORT = ports.get(name)?.metrics ?? ''
      await eventually('the pod is ready', async () => (await fetch(`http://127.0.0.1:${METRICS_PORT}/readyz`)).ok)
      const check = [join(ROOT, 'deploy/image/healthcheck.mjs')]
      const { status, stdout } = spawnSync(process.execPath, check, { env: { METRICS_PORT }, encoding: 'utf8' })
      expect({ name, status, stdout }).toEqual({ name, status: 0, stdout: expect.stringMatching(/^\{.+\}\n$/) })
    }
  }, 90_000)

  test('a health check without a service says so', async () => {
    const METRICS_PORT = String(await findFreePort())
    const check = [join(ROOT, 'deploy/image/healthcheck.mjs')]
    const { status, stderr } = spawnSync(process.execPath, check, { env: { METRICS_PORT }, encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringMatching(/^no answer at port \d+: .+\n$/) })
  })

  test('an event that is posted with the key of the overlay is in the list', async () => {
    const headers = { authorization: `Bearer ${secretOf('ARIFTLY_BOOTSTRAP_KEY')}`, 'content-type': 'application/json' }
    const body = '{"type":"task.created","task_id":"task_1","data":{}}'
    const posted = await fetch(`${addressOf('ingest')}/v1/events`, { method: 'POST', headers, body })
    expect(posted.status).toBe(202)
    await eventually('the event is listed', async () => {
      const listed = await fetch(`${addressOf('api')}/v1/events?task_id=task_1`, { headers })
      expect(await listed.json()).toMatchObject({ data: [{ type: 'task.created' }] })
      return true
    })
  })
})

function secretOf(key: string): string {
  const secrets = objects.filter(({ kind }) => kind === 'Secret')
  return Buffer.from(secrets.find(({ data }) => data?.[key] !== undefined)?.data?.[key] ?? '', 'base64').toString()
}

function addressOf(name: string): string {
  return `http://127.0.0.1:${ports.get(name)?.http}`
}

/** The pod's environment, but for names and ports of its own on this machine; secrets are files, as in the pod. */
function environmentOf({ name, pod }: Pod): Readonly<Record<string, string>> {
  const { env, database } = world
  const addresses: Readonly<Record<string, string | undefined>> = {
    DATABASE_URL: database.adminUrl,
    DATABASE_ADMIN_URL: database.adminUrl,
    REDIS_URL: env['REDIS_URL'],
  }
  const own = (pod.containers[0]?.env ?? []).map(({ name: variable, value }): [string, string] => {
    if (!value.startsWith('/etc/ariftly/')) return [variable, value]
    const key = value.slice('/etc/ariftly/'.length)
    const file = join(folder, key)
    writeFileSync(file, addresses[key] ?? secretOf(key))
    return [variable, file]
  })
  const { http = '0', metrics = '0' } = ports.get(name) ?? {}
  const names = ['KAFKA_BROKERS', 'KAFKA_TOPIC', 'KAFKA_DLQ_TOPIC', 'KAFKA_GROUP_PREFIX', 'BULLMQ_PREFIX', 'HOST']
  return {
    ...settingsOf(objects),
    ...Object.fromEntries(own),
    ...Object.fromEntries(names.map((variable) => [variable, env[variable] ?? ''])),
    PORT: http,
    METRICS_PORT: metrics,
    PATH: process.env['PATH'] ?? '',
  }
}

async function start(service: Pod): Promise<void> {
  const [http, metrics] = [String(await findFreePort()), String(await findFreePort())]
  ports.set(service.name, { http, metrics })
  const [container] = service.pod.containers
  const command = { file: ENTRYPOINT, args: container?.args ?? [], cwd: folder, env: environmentOf(service) }
  running.push(await startSupervised(command, { signal: 'SIGKILL', graceMs: 0 }, join(folder, `${service.name}.log`)))
}

async function runToEnd(name: string): Promise<{ readonly code: unknown; readonly errors: readonly string[] }> {
  const pod = pods.find((one) => one.name === name)
  if (pod === undefined) throw new Error(`there is no pod ${name}`)
  const child = spawn(ENTRYPOINT, pod.pod.containers[0]?.args ?? [], { cwd: folder, env: environmentOf(pod) })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, errors: code === 0 ? [] : output.split('\n') }
}
