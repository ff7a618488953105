import { describe, expect, test } from '@jest/globals'
import { parseRawJson, RawNumber } from './raw-json.ts'
import { requestForms } from './request-forms.ts'
import { visibleText } from './visible-text.ts'

describe('text of strangers', () => {
  test.each([
    ['plain, \t tab\n', 'plain, \t tab\n'],
    ['\u202egnp.exe', String.raw`\u{202e}gnp.exe`],
    ['\u001b[31m', String.raw`\u{1b}[31m`],
    ['a\u200bb\ufeff', String.raw`a\u{200b}b\u{feff}`],
    ['\u{e0041}', String.raw`\u{e0041}`],
    ['\r', String.raw`\u{d}`],
  ])('%j is shown as %j', (text, shown) => {
    expect(visibleText(text)).toBe(shown)
  })
})

test('JSON keeps its members, and numbers are never rounded silently', () => {
  const value = parseRawJson('{"a":[true,null,"x"],"n":2}')
  expect(value).toEqual({ a: [true, null, 'x'], n: new RawNumber('2') })
})

describe('a request', () => {
  const request = { path: '/v1/events', command: 'events list', method: 'events.list' }

  test('is shown as curl, command and program, without the key', () => {
    const query = { task_id: "it's", limit: 50, cursor: undefined, type: ['task.created', 'task.failed'] }
    const { curl, cli, sdk } = requestForms({ ...request, query })
    expect(curl).toBe(
      `curl -H "Authorization: Bearer $ARIFTLY_API_KEY" "$ARIFTLY_URL/v1/events?task_id=it's&limit=50&type=task.created%2Ctask.failed"`,
    )
    expect(cli).toBe(String.raw`ariftly events list --task 'it'\''s' --limit 50 --type task.created,task.failed`)
    expect(sdk).toContain('client.events.list({')
  })

  test('of one thing has its id before the query, in every form', () => {
    const one = { path: '/v1/events/evt_1', command: 'events get', method: 'events.get', args: ["evt_1'"] }
    const { cli, sdk } = requestForms({ ...one, query: { include: ['log', 'deliveries'] } })
    expect(cli).toBe(String.raw`ariftly events get 'evt_1'\''' --include log,deliveries`)
    expect(sdk.replaceAll(/\s+/g, ' ')).toContain(`client.events.get("evt_1'", { "include": [ "log", "deliveries" ] })`)
  })

  test('may be another command, with arguments of its own', () => {
    const query = { task_id: 't 1', order: 'asc' }
    const { cli, sdk } = requestForms({ ...request, command: 'timeline', commandArgs: ['t 1'], query })
    expect(cli).toBe(`ariftly timeline 't 1'`)
    expect(sdk).toContain('client.events.list({')
  })

  test('cannot leave the quotes of a shell', () => {
    const { curl } = requestForms({ ...request, query: { task_id: '"$(id)`id`' } })
    expect(curl).not.toMatch(/\$\(|`|""/)
  })
})
