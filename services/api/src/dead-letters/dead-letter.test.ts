import { expect, test } from '@jest/globals'
import { toDeadLetter } from './dead-letter.ts'

const RECORD = { partition: 0, offset: 7, timestampMs: Date.UTC(2026, 0, 1), key: null, value: null, headers: {} }

test('shows reason, source and position of the record in the log, separate from its own headers', () => {
  const headers = {
    ce_source: 'acme/agents',
    ce_type: Buffer.from('task.created'),
    ['__proto__']: 'x',
    empty: null,
    twice: ['1', null],
    dlq_reason: 'unknown_type',
    dlq_detail: 'The type is none of ours.',
    dlq_topic: 'events',
    dlq_partition: '3',
    dlq_offset: '9007199254740993',
  }
  const deadLetter = toDeadLetter({ ...RECORD, key: Buffer.from('k'), value: Buffer.from('{}'), headers })
  const shown = { ce_source: 'acme/agents', ce_type: 'task.created', ['__proto__']: 'x', empty: '', twice: '1, ' }
  expect(deadLetter).toEqual({
    object: 'dead_letter',
    id: '0-7',
    at: '2026-01-01T00:00:00.000Z',
    reason: 'unknown_type',
    detail: 'The type is none of ours.',
    source: 'acme/agents',
    partition: 3,
    offset: '9007199254740993',
    key: 'aw==',
    headers: shown,
    value_preview: 'e30=',
  })
  expect(Object.keys(deadLetter.headers)).toEqual(Object.keys(shown))
})

test('truncates large values, and takes a record of another producer', () => {
  const headers = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`h${n}`, 'x'.repeat(1000)]))
  const deadLetter = toDeadLetter({
    ...RECORD,
    value: Buffer.alloc(5000),
    headers: { ...headers, dlq_offset: 'first' },
  })
  expect(deadLetter).toMatchObject({ reason: 'unknown', detail: '', partition: null, offset: null, key: null })
  expect(Object.keys(deadLetter.headers)).toHaveLength(50)
  expect(deadLetter.headers['h0']).toHaveLength(256)
  expect(Buffer.from(deadLetter.value_preview ?? '', 'base64')).toHaveLength(1024)
})
