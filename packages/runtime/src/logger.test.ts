import { expect, test } from '@jest/globals'
import { Fault } from '@ariftly/fault'
import { createLineWriter, createLogger } from './logger.ts'

function logged(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  const lines: string[] = []
  write(createLogger({ service: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } }))
  return JSON.parse(lines[0] ?? '{}') as Record<string, unknown>
}

test('a line is JSON with level, time and service', () => {
  const line = logged((log) => log.info({ batch: 3 }, 'stored'))
  expect(line).toMatchObject({ level: 'info', service: 'test', batch: 3, msg: 'stored' })
  expect(Date.parse(String(line['time']))).not.toBeNaN()
})

test('credentials are masked', () => {
  const line = logged((log) =>
    log.info({ authorization: 'Bearer ak_1', headers: { authorization: 'Bearer ak_2' } }, 'x'),
  )
  expect(JSON.stringify(line)).not.toMatch(/ak_/)
})

test('an error shows code, stack and cause, but no member that may hold a row or a payload', () => {
  const cause = Object.assign(new Error('duplicate key'), {
    code: '23505',
    detail: 'Key (data)=(payload)',
    where: 'payload',
  })
  const line = logged((log) => log.error({ err: new Fault({ code: 'insert_failed', message: 'no', cause }) }, 'x'))
  expect(line['err']).toMatchObject({ code: 'insert_failed', message: 'no', cause: { code: '23505' } })
  expect(line['err']).toHaveProperty('stack')
  expect(JSON.stringify(line)).not.toContain('payload')
})

test('an address in a message keeps its password to itself, also in the stack and the cause', () => {
  const address = 'postgres://agent:p%40ss:w@rd@db.internal:5432/ariftly'
  const cause = new Error(`connect ${address} and rediss://:other@redis:6380`)
  const line = logged((log) => log.error({ err: new Error(`cannot reach ${address}`, { cause }) }, 'x'))
  expect(JSON.stringify(line)).not.toMatch(/p%40ss|w@rd|other/)
  expect(line['err']).toMatchObject({ message: 'cannot reach postgres://[redacted]@db.internal:5432/ariftly' })
})

test("the line of a line writer equals the logger's, and none is written below its level", () => {
  const members = {
    request_id: 'a "quoted" é\n\u2028',
    status: 202,
    complete: true,
    duration_ms: 0.1,
    tenant: undefined,
  }
  const { time, ...line } = logged((log) => createLineWriter(log.child({ part: 'http' }), 'request')(members))
  const { time: otherTime, ...other } = logged((log) => log.child({ part: 'http' }).info(members, 'request'))
  expect([line, typeof time]).toEqual([other, typeof otherTime])
  const lines: string[] = []
  const log = createLogger({ service: 'test', level: 'warn', destination: { write: (text) => void lines.push(text) } })
  createLineWriter(log, 'request')(members)
  expect(lines).toEqual([])
})
