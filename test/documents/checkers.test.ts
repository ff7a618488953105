import { execFileSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { runChecker } from '../support/run-checker.ts'
import { publishedFiles } from './published-files.ts'

const files = publishedFiles()

// Each is a process of its own that loads a large package.
describe('a checker of its own kind', () => {
  test('finds nothing wrong with the OpenAPI document', () => {
    expect(runChecker('openapi', JSON.stringify(files['openapi.json']))).toEqual([])
  })

  test('would find what is wrong with an OpenAPI document', () => {
    const broken = JSON.stringify(files['openapi.json']).replace('"listEvents"', '"getEvent"')
    expect(runChecker('openapi', broken).join('\n')).toContain('operation-operationId-unique')
  })

  test('finds the faults of a recorded answer, and none in a correct one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'answers-'))
    const limits = { events_per_s: null, streams: null, webhooks: null, api_keys: null }
    const tenant = { object: 'tenant', id: 'a', state: 'active', limits, created_at: null, updated_at: null }
    const answers = [tenant, { ...tenant, state: 'asleep' }].map((body) => {
      const answer = { method: 'GET', path: '/v1/tenants/a', status: 200, contentType: 'application/json' }
      return JSON.stringify({ ...answer, body: JSON.stringify(body) })
    })
    writeFileSync(join(folder, '1.ndjson'), answers.join('\n'))
    const args = [join(ROOT, 'tools/check-answers.mjs'), join(ROOT, 'schemas/openapi.json'), folder]
    const faults = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', stdio: 'pipe' })) as string[]
    expect(faults).toEqual([expect.stringContaining('/response/state')])
  })

  test('finds nothing wrong with the AsyncAPI document', () => {
    expect(runChecker('asyncapi', JSON.stringify(files['asyncapi.json']))).toEqual([])
  })
})
