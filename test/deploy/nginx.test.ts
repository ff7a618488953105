import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROUTES } from '@ariftly/http'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { renderNginxConf } from './nginx-conf.ts'
import { samplePath } from './route-groups.ts'

const FILE = join(ROOT, 'deploy/nginx/nginx.conf')

if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, renderNginxConf())

test('deploy/nginx/nginx.conf is what the route table makes (write it anew with: npm run generate)', () => {
  expect(readFileSync(FILE, 'utf8')).toBe(renderNginxConf())
})

describe('deploy/nginx/nginx.conf', () => {
  const conf = readFileSync(FILE, 'utf8')

  test.each(ROUTES)('sends $method $path to $service', ({ method, path, service }) => {
    expect(serviceOf(conf, method, samplePath(path))).toBe(service)
  })

  test('sends HEAD where GET goes, a preflight where its method goes, and what is unknown to the api', () => {
    expect(serviceOf(conf, 'HEAD', '/v1/events')).toBe('api')
    expect(serviceOf(conf, 'OPTIONS', '/v1/events', 'POST')).toBe('ingest')
    expect(serviceOf(conf, 'GET', '/metrics')).toBe('api')
    expect(serviceOf(conf, 'PUT', '/v1/events')).toBe('api')
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
  const exact = blocks.find(({ kind, place }) => kind === '=' && place === path)
  const pattern = blocks.find(({ kind, place }) => kind === '~' && new RegExp(place).test(path))
  const prefix = blocks.find(({ kind }) => kind === undefined)
  return (exact ?? pattern ?? prefix)?.body
}
