import { int, type Setting } from '@ariftly/runtime'

/** How long things are kept, in days. They are checked against each other. */
export const retentionConfig = {
  EVENTS_RETENTION_DAYS: int({
    doc: 'Days that events are kept: lists, replays and how far back a stream resumes. Older events are refused; that limit is at most 90 days.',
    default: 90,
    min: 35,
    max: 3650,
  }),
  LOG_RETENTION_DAYS: notBeyondEvents(
    int({
      doc: 'Days that the log and the topic of dead letters keep a record; topics that exist are only compared with it.',
      default: 7,
      min: 1,
      max: 3650,
    }),
    '`rebuild` would bring back events that are not kept any more',
  ),
  DELIVERIES_RETENTION_DAYS: notBeyondEvents(
    int({
      doc: 'Days that deliveries, their attempts, replays and redeliveries are kept; at least 35, as far as redeliveries reach back.',
      default: 35,
      min: 35,
      max: 3650,
    }),
    'a delivery needs its event',
  ),
} as const

function notBeyondEvents(setting: Setting<number>, why: string): Setting<number> {
  return {
    ...setting,
    check(days, others) {
      const events = others['EVENTS_RETENTION_DAYS']
      if (typeof events !== 'number' || days <= events) return undefined
      return `must be at most EVENTS_RETENTION_DAYS (${events}): ${why}`
    },
  }
}
