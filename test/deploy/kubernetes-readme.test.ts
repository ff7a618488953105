import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { anchorsOf, fencedBlocks, headingLinks, readPage, relativeLinks, ROOT } from '../docs/markdown.ts'
import { parseManifest, type KubernetesObject } from './manifest.ts'
import { renderedFile, type Overlay } from './rendered.ts'

const PAGES = ['k8s/README.md', 'docs/kubernetes.md', 'docs/operations/backup.md'] as const
const example = (name: string) => parseManifest(readFileSync(join(ROOT, 'k8s/examples', name), 'utf8'))
const blocksOf = (page: string) => fencedBlocks(readPage(page), 'sh').map((block) => block.replaceAll(/\\\n\s*/g, ''))
const readme = blocksOf('k8s/README.md')

describe.each(PAGES)('the commands of %s', (page) => {
  const blocks = blocksOf(page)

  test('are read by a shell', () => {
    const read = blocks.map((input) => spawnSync('bash', ['-n'], { input, encoding: 'utf8' }).stderr)
    expect(read.filter((stderr) => stderr !== '')).toEqual([])
  })

  test('name files that exist', () => {
    const named = blocks.flatMap((block) => block.match(/(?<!exec |logs |[\w/.])(?:k8s|deploy)\/[\w./-]+/g) ?? [])
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('name objects that the manifests have', () => {
    const lines = blocks.flatMap((block) => block.split('\n'))
    expect(lines.filter((line) => line.startsWith('kubectl -n ariftly')).flatMap(missing)).toEqual([])
  })
})

describe('k8s/README.md', () => {
  const text = readPage('k8s/README.md')

  test('links only to what exists', () => {
    expect(relativeLinks(text).filter((target) => !existsSync(join(ROOT, dirname('k8s/README.md'), target)))).toEqual(
      [],
    )
    const anchors = headingLinks(text).filter(({ path, anchor }) => {
      return !anchorsOf(readPage(join('k8s', path === '' ? 'README.md' : path))).includes(anchor)
    })
    expect(anchors).toEqual([])
  })

  test('makes the image before it is used, and what pods mount before the pods', () => {
    const commands = readme.join('\n')
    const order = [
      'docker build -t ariftly/events:dev .',
      'kind load docker-image ariftly/events:dev',
      'kubectl apply -k k8s/overlays/dev',
      'service/nginx 8080:80',
      'docker build -t "$IMAGE"',
      'kustomize edit set image',
      'kubectl apply -f k8s/overlays/production/namespace.yaml',
      'create secret generic events-redis ',
      'kubectl apply -f k8s/examples/kafka-strimzi.yaml',
      'create secret generic events-secrets',
      'kubectl apply -k k8s/overlays/production',
    ].map((command) => commands.indexOf(command))
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(order[0]).toBeGreaterThanOrEqual(0)
  })

  test('makes every secret of k8s/examples/secrets.yaml with all its keys, and those of Redis', () => {
    const made = readme
      .flatMap((block) => block.split('\n'))
      .flatMap((line) => {
        const [, name = ''] = /create secret generic ([\w-]+)/.exec(line) ?? []
        return [...line.matchAll(/--from-literal=([\w.]+)=/g)].map(([, key]) => `${name}/${key}`)
      })
    const wanted = example('secrets.yaml').flatMap(({ metadata, stringData = {} }) =>
      Object.keys(stringData).map((key) => `${metadata.name}/${key}`),
    )
    expect(made).toEqual(expect.arrayContaining([...wanted, 'events-redis/auth.conf']))
  })

  test('applies no example with a Secret: it would replace the password that was made before', () => {
    const applied = [...readme.join('\n').matchAll(/k8s\/examples\/([\w-]+\.yaml)/g)].map(([, name = '']) => name)
    expect(applied).toContain('postgres-cloudnativepg.yaml')
    expect(applied.flatMap(example).filter(({ kind }) => kind === 'Secret')).toEqual([])
  })

  test('shows the key and the port of the overlay dev', () => {
    const objects = objectsOf('dev')
    const { data = {} } = objects.find(({ metadata }) => metadata.name === 'events-admin-secrets') ?? {}
    const key = Buffer.from(data['ARIFTLY_BOOTSTRAP_KEY'] ?? '', 'base64').toString()
    expect(text).toContain(`export ARIFTLY_API_KEY=${key}\n`)
  })
})

const KINDS: Readonly<Record<string, string>> = {
  deploy: 'Deployment',
  service: 'Service',
  svc: 'Service',
  job: 'Job',
  cronjob: 'CronJob',
  statefulset: 'StatefulSet',
  cluster: 'Cluster',
}
/** Made by CloudNativePG, or by the command before. */
const MADE = new Set(['Service/events-rw', 'Job/migrate-check-now', 'Job/verify-now'])

function missing(line: string): readonly string[] {
  const overlay = line.startsWith('kubectl -n ariftly-dev ') ? 'dev' : 'production'
  const objects = [...objectsOf(overlay), ...(overlay === 'dev' ? [] : EXAMPLES.flatMap(example))]
  const have = new Set(objects.map(({ kind, metadata }) => `${kind}/${metadata.name}`))
  const named = [...line.matchAll(/(?<= |=)(deploy|service|svc|job|cronjob|statefulset|cluster)\/([a-z-]+)/g)]
  return named
    .map(([, kind = '', name]) => `${KINDS[kind]}/${name}`)
    .filter((name) => !have.has(name) && !MADE.has(name) && name !== 'Deployment/image')
}

const EXAMPLES = ['postgres-cloudnativepg.yaml', 'redis.yaml']

function objectsOf(overlay: Overlay): readonly KubernetesObject[] {
  return parseManifest(readFileSync(renderedFile(overlay), 'utf8'))
}
