import { ROUTES, routeOf } from '@ariftly/http'
import { describe, expect, test } from '@jest/globals'
import { validateFilter } from '@ariftly/webhook-filter'
import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { buildOpenapi } from './build-openapi.ts'
import type { OpenapiContent } from './document.ts'
import { responseOf } from './share-responses.ts'

const document = buildOpenapi({ nowMs: Date.UTC(2026, 10, 25) })
const ajv = new Ajv2020({ strict: false, allErrors: true })
formats.default(ajv)
ajv.addSchema(document, 'openapi', undefined, false)

/** Whether a component describes a value. */
function fits(component: string, value: object): boolean {
  return ajv.compile({ $ref: `openapi#/components/schemas/${component}` })(value)
}

describe('the OpenAPI document', () => {
  test('has an operation for each route of the table and no other', () => {
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method.toUpperCase()} ${path}`),
    )
    expect(operations.toSorted()).toEqual(
      ROUTES.map(({ name, method, path }) => `${name} ${method} ${path}`).toSorted(),
    )
  })

  test('can be made of the routes that are served, and then has none of the others', () => {
    const { paths } = buildOpenapi({ nowMs: 0, routes: [routeOf('listEvents')] })
    expect(Object.keys(paths)).toEqual(['/v1/events'])
    expect(Object.keys(paths['/v1/events'] ?? {})).toEqual(['get'])
  })

  test('refers only to schemas that it has', () => {
    const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name ?? '',
    )
    expect(names.length).toBeGreaterThan(50)
    expect(names.filter((name) => !(name in document.components.schemas))).toEqual([])
  })

  test('shares answers that are the same, and refers only to answers that it has', () => {
    const text = JSON.stringify(document)
    const used = new Set([...text.matchAll(/"#\/components\/responses\/([^"]+)"/g)].map(([, name = '']) => name))
    expect([...used].toSorted()).toEqual(Object.keys(document.components.responses ?? {}).toSorted())
    expect(text.length).toBeLessThan(310_000)
  })

  test('describes the CloudEvents that can be posted by a component alone', () => {
    const content = document.paths['/v1/events']?.['post']?.requestBody?.content ?? {}
    const validate = ajv.compile({ $ref: 'openapi#/components/schemas/NewCloudEvent' })
    const values = Object.entries(content)
      .filter(([type]) => type.startsWith('application/cloudevents'))
      .flatMap(([, { examples = {} }]) => Object.values(examples).flatMap(({ value }) => value))
    expect(values).toHaveLength(2)
    for (const value of values) expect(validate(value)).toBe(true)
  })

  test('describes events that are read by the payload of their type, and those of other types too', () => {
    const members = { object: 'event', id: 'evt_01m88y3fz3eeksq399rkr6wnx3', created_at: '2026-11-25T08:45:37.123Z' }
    const event = { ...members, task_id: 't', agent: null, session_id: null, type: 'task.progress' }
    const good = { ...event, data: { task_id: 't', message: 'm', own: 1 } }
    expect([fits('Event', good), fits('Event.task.progress', good)]).toEqual([true, true])
    expect(fits('Event.task.progress', { ...event, data: { progress: 0.5 } })).toBe(false)
    const later = { ...event, type: 'task.archived', data: { by: 'retention' } }
    expect([fits('Event', later), fits('Event.task.progress', later)]).toEqual([true, false])
  })

  test.each([
    [{ 'data.progress': { $gte: 0.5 }, agent: { $in: ['a', null] } }, true],
    [{ $or: [{ type: 'task.failed' }, { $and: [{ 'data.a.b': true }] }] }, true],
    [{ 'data.a': { $not: { $exists: false } } }, true],
    [{}, false],
    [{ agents: 'a' }, false],
    [{ data: 1 }, false],
    [{ 'data.a': [] }, false],
    [{ 'data.a': [{ agent: 'a' }] }, false],
    [{ agent: { $like: 'a' } }, false],
    [{ agent: { $in: [] } }, false],
    [{ agent: { $gt: true } }, false],
    [{ $or: { agent: 'a' } }, false],
  ])('describes payload filters as they are checked: %j', (filter, good) => {
    const validate = ajv.compile({ $ref: 'openapi#/components/schemas/WebhookFilter' })
    expect({ byDocument: validate(filter), byCheck: validateFilter(filter).length === 0 }).toEqual({
      byDocument: good,
      byCheck: good,
    })
  })

  test('has no enumeration in an answer that may grow, and no member with a default in a body', () => {
    const { components, paths } = document
    const text = JSON.stringify(paths['/v1/events']?.['get']?.responses) + JSON.stringify(components.schemas['Webhook'])
    expect(text).not.toContain('"enum":["task.created"')
    const requests = Object.entries(components.schemas).filter(([name]) =>
      /^New|Request|Changes|Rotate|Test/.test(name),
    )
    expect(requests.length).toBeGreaterThan(10)
    expect(JSON.stringify(requests)).not.toContain('"default":')
  })

  test('describes the request that a webhook receives', () => {
    const { post } = document.webhooks?.['event'] ?? {}
    const validate = ajv.compile({ $ref: 'openapi#/components/schemas/Event' })
    const examples = post?.requestBody?.content['application/json']?.examples ?? {}
    for (const { value } of Object.values(examples)) expect(validate(value)).toBe(true)
    expect(post?.parameters?.map(({ name }) => name)).toContain('X-Ariftly-Signature')
  })

  test.each(['Shell', 'TypeScript', 'Python'])('shows how to call each operation with a key: %s', (label) => {
    for (const methods of Object.values(document.paths)) {
      for (const operation of Object.values(methods)) {
        const sample = operation['x-codeSamples']?.find((each) => each.label === label)
        expect(sample?.source).toContain('ARIFTLY_URL')
        expect(sample?.source).not.toContain('api.ariftly.io')
        if (operation.security?.length !== 0) expect(sample?.source).toContain('ARIFTLY_API_KEY')
      }
    }
  })

  test('names the scope that each route asks for', () => {
    for (const { path, method, scope } of ROUTES) {
      const description = JSON.stringify(document.paths[path]?.[method.toLowerCase()])
      if (scope !== 'none' && scope !== 'any') expect(description).toContain(`Needs the scope \`${scope}\``)
      expect(description.includes('"403"')).toBe(scope !== 'none')
    }
  })

  test.each(bodies())('shows examples that fit its own schema: $name', ({ pointer, content }) => {
    const validate = ajv.compile({ $ref: `openapi#${pointer}` })
    for (const [name, { value }] of Object.entries(content.examples ?? {})) {
      expect({ name, fits: validate(value), errors: validate.errors }).toEqual({ name, fits: true, errors: null })
    }
  })
})

function bodies(): readonly { readonly name: string; readonly pointer: string; readonly content: OpenapiContent }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const at = `/paths/${escape(path)}/${method}`
      const answers = Object.keys(operation.responses).map((status) => {
        const { pointer = `${at}/responses/${status}`, response } = responseOf(document, operation, status) ?? {}
        return [pointer, response?.content] as const
      })
      return [[`${at}/requestBody`, operation.requestBody?.content] as const, ...answers].flatMap(([part, contents]) =>
        Object.entries(contents ?? {})
          .filter(([, content]) => content.examples !== undefined && content.schema !== undefined)
          .map(([type, content]) => ({
            name: `${operation.operationId} ${part}`,
            pointer: `${part}/content/${escape(type)}/schema`,
            content,
          })),
      )
    }),
  )
}

function escape(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
}
