import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROUTES } from '@ariftly/http'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { renderNginxConf } from './nginx-conf.ts'
import { samplePath } from './route-groups.ts'

const FILE = join(ROOT, 'deploy/nginx/nginx.conf')

if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, renderNginxConf())

test('deploy/nginx/nginx.conf is what the route table makes (write it again with: npm run generate)', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(renderNginxConf())
})

describe('deploy/nginx/nginx.conf', () => {
  const conf = readFileSync(FILE, 'utf8')

  test.each(ROUTES)('sends $method $path to $service', ({ method, path, service }) => {
    expect(serviceOf(conf, method, samplePath(path))).toBe(service)
  })

  test('routes HEAD like GET, a preflight like its method, and unknown paths to the api', () => {
    expect(serviceOf(conf, 'HEAD', '/v1/events')).toBe('api')
    expect(serviceOf(conf, 'OPTIONS', '/v1/events', 'POST')).toBe('ingest')
    expect(serviceOf(conf, 'GET', '/metrics')).toBe('api')
    expect(serviceOf(conf, 'PUT', '/v1/events')).toBe('api')
  })

  // A restarted container may have an address that was another's.
  test('looks up each service again, and requires the nginx module for that', () => {
    expect(conf).toMatch(/^ {2}resolver 127\.0\.0\.11 valid=1s;$/m)
    for (const service of new Set(ROUTES.map((route) => route.service)))
      expect(conf).toMatch(
        new RegExp(`upstream ${service} \\{\\n {4}zone ${service} \\w+;\\n {4}server ${service}:8080 resolve `),
      )
    const [, minor = ''] =
      /nginx-unprivileged:1\.(\d+)/.exec(readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')) ?? []
    // `resolve` for all: 1.27.3.
    expect(Number(minor)).toBeGreaterThanOrEqual(28)
  })

  test('answers with a problem when a service is down or a body too long, and never answers before the end of a body', () => {
    const [, body = ''] = /return 503 '(.+)';/.exec(conf) ?? []
    expect(conf).toContain('error_page 500 502 504 =503 @unavailable;')
    expect(JSON.parse(body)).toMatchObject({ status: 503, code: 'unavailable', instance: '$instance' })
    const [, shown = ''] = /~(\^\(\?<plain>\S+) \$plain;/.exec(conf) ?? []
    for (const [uri, instance] of [
      ['/v1/events?limit=1', '/v1/events'],
      ['/v1/events/evt_1', '/v1/events/evt_1'],
      ['/v1/"x', undefined],
      ['/v1/\\x', undefined],
    ])
      expect(new RegExp(shown).exec(uri ?? '')?.groups?.['plain']).toBe(instance)
    for (const location of ['@unavailable', '@too_large'])
      expect(locationOf(conf, location)).toContain('keepalive_timeout 0;')
    expect(conf).toContain('error_page 413 @too_large;')
    expect(conf).toContain('client_max_body_size 5m;')
    expect(conf).not.toContain('proxy_request_buffering off')
  })

  test('may open a file for each connection of a worker', () => {
    const [, files] = /^worker_rlimit_nofile (\d+);$/m.exec(conf) ?? []
    const [, connections] = /^ {2}worker_connections (\d+);$/m.exec(conf) ?? []
    expect(Number(files)).toBeGreaterThanOrEqual(Number(connections))
  })

  test('buffers no stream', () => {
    expect(locationOf(conf, '/v1/events/stream')).toContain('proxy_buffering off;')
  })
})

/** What nginx does with the generated subset of its language: exact locations first, then patterns in order, then the prefix `/`. */
function serviceOf(text: string, method: string, path: string, preflight = ''): string | undefined {
  const [, target = ''] = /proxy_pass http:\/\/([^;]+);/.exec(locationOf(text, path) ?? '') ?? []
  if (!target.startsWith('$')) return target
  const asked = { HEAD: 'GET', OPTIONS: preflight }[method] ?? method
  const [, map = ''] = new RegExp(`map \\$asked_method \\${target} \\{([^}]*)\\}`).exec(text) ?? []
  const entries = new Map([...map.matchAll(/^\s*(\S+) (\S+);$/gm)].map(([, key = '', value = '']) => [key, value]))
  return entries.get(asked) ?? entries.get('default')
}

function locationOf(text: string, path: string): string | undefined {
  const blocks = [...text.matchAll(/^ {4}location (?:([=~]) )?(\S+) \{\n([\s\S]*?)^ {4}\}$/gm)].map(
    ([, kind, place = '', body]) => ({ kind, place, body }),
  )
  const exact = blocks.find(({ kind, place }) => (kind === '=' || place.startsWith('@')) && place === path)
  const pattern = blocks.find(({ kind, place }) => kind === '~' && new RegExp(place).test(path))
  const prefix = blocks.find(({ kind, place }) => kind === undefined && place === '/')
  return (exact ?? pattern ?? prefix)?.body
}
