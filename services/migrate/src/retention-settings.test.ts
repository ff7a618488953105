import { readConfig } from '@ariftly/runtime'
import { expect, test } from '@jest/globals'
import { retentionConfig } from './retention-settings.ts'

test('without settings it is what it always was', () => {
  expect(readConfig(retentionConfig, {})).toEqual({
    EVENTS_RETENTION_DAYS: 90,
    LOG_RETENTION_DAYS: 7,
    DELIVERIES_RETENTION_DAYS: 35,
  })
})

test('the log and deliveries may not outlive events; all faults are named together', () => {
  const env = { EVENTS_RETENTION_DAYS: '40', LOG_RETENTION_DAYS: '41', DELIVERIES_RETENTION_DAYS: '60' }
  expect(() => readConfig(retentionConfig, env)).toThrow(
    /LOG_RETENTION_DAYS.*at most EVENTS_RETENTION_DAYS \(40\)[^]*DELIVERIES_RETENTION_DAYS.*at most EVENTS_RETENTION_DAYS \(40\)/,
  )
  expect(readConfig(retentionConfig, { ...env, EVENTS_RETENTION_DAYS: '60' })).toMatchObject({ LOG_RETENTION_DAYS: 41 })
})
