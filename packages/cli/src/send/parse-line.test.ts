import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from '@jest/globals'
import { parseTimestamp } from '@ariftly/events'
import { parseLine } from './parse-line.ts'

const TIMES = [
  '2026-11-25T08:45:37.123',
  '2026-11-25 08:45',
  '2026-11-25T08:45:37',
  '2026-11-25T08:45:37Z',
  '2026-11-25T10:45:37+02:00',
  '2026-11-25T03:15:37-0530',
]

test('keeps the data of an event byte for byte', () => {
  const data = '{"n":1.0,"big":12345678901234567890,"s":"\\u0041\\"}"}'
  const parsed = parseLine(`{"type":"task.progress", "data" : ${data} ,"task_id":"t"}`)
  expect(parsed).toMatchObject({ type: 'event', hasOwnId: false, event: { data, task_id: 't' } })
  expect(parseLine(`{"d\\u0061ta":${data}}`)).toMatchObject({ event: { data } })
})

test('refuses what is no event', () => {
  expect(parseLine('{')).toMatchObject({ type: 'refused', code: 'malformed_json' })
  expect(parseLine('[1]')).toMatchObject({ type: 'refused', code: 'invalid_type' })
  expect(parseLine('{"created_at":"today"}')).toMatchObject({ type: 'refused', pointer: '/created_at' })
})

test('a created_at without an offset is a time in UTC, as for the server, in any time zone of the machine', () => {
  const program = `
    const { tsImport } = await import('tsx/esm/api')
    const [module, times] = process.argv.slice(1)
    const { parseLine } = await tsImport(module, module)
    console.log(JSON.stringify(JSON.parse(times).map((time) => parseLine(JSON.stringify({ created_at: time })).atMs)))`
  const module = pathToFileURL(join(import.meta.dirname, 'parse-line.ts')).href
  const args = ['--input-type=module', '--eval', program, module, JSON.stringify(TIMES)]
  const printed = execFileSync(process.execPath, args, {
    env: { ...process.env, TZ: 'Europe/Berlin' },
    encoding: 'utf8',
  })
  expect(JSON.parse(printed)).toEqual(TIMES.map((time) => parseTimestamp(time)?.ms))
})
