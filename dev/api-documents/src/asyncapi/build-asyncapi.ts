import { EVENT_TYPES, isSessionType, type EventType } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { payloadSchema } from '../json-schemas/event-schemas.ts'
import { LOG_INFO } from './describe-log.ts'
import { deadLetterHeadersSchema, recordHeadersSchema, recordKeySchema } from '../json-schemas/record-schemas.ts'

/** Builds the AsyncAPI 3 document of the topics: all that a foreign Kafka client needs to know. */
export function buildAsyncapi(): Readonly<Record<string, unknown>> {
  const document = {
    asyncapi: '3.0.0',
    id: 'urn:ariftly:events',
    info: LOG_INFO,
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: 'kafka.ariftly.internal:9092',
        protocol: 'kafka',
        description: 'Bootstrap servers, inside the platform; not public. Yours may have others.',
      },
    },
    channels: { events: eventsChannel(), deadLetters: DEAD_LETTERS },
    operations: {
      appendEvents: operation('send', 'events', 'Ingest appends what was posted, with acks=all.'),
      readEvents: operation(
        'receive',
        'events',
        'The projector, the stream gateway and the webhook worker read all events.',
      ),
      appendDeadLetters: operation('send', 'deadLetters', 'The projector puts aside what breaks the contract.'),
    },
    components: { messages: messages() },
  }
  return JSON.parse(JSON.stringify(document)) as Record<string, unknown>
}

function operation(action: 'send' | 'receive', channel: string, summary: string): object {
  return { action, summary, channel: { $ref: `#/channels/${channel}` } }
}

function eventsChannel(): object {
  return {
    address: 'ariftly.events.v1',
    title: 'Events',
    description: 'Every event of every tenant; retention 7 days. Longer history is in the API.',
    messages: Object.fromEntries(
      EVENT_TYPES.map((type) => [messageName(type), { $ref: `#/components/messages/${messageName(type)}` }]),
    ),
    bindings: {
      kafka: {
        topic: 'ariftly.events.v1',
        partitions: 12,
        replicas: 3,
        topicConfiguration: {
          'cleanup.policy': ['delete'],
          'retention.ms': 604_800_000,
          'max.message.bytes': 1_048_588,
        },
      },
    },
  }
}

const DEAD_LETTERS = {
  address: 'ariftly.events.dlq.v1',
  title: 'Dead letters',
  description: 'Records that break the contract: its key, value and headers, unchanged, and the reason.',
  messages: { deadLetter: { $ref: '#/components/messages/deadLetter' } },
  bindings: { kafka: { topic: 'ariftly.events.dlq.v1' } },
} as const

function messages(): Readonly<Record<string, object>> {
  return {
    ...Object.fromEntries(EVENT_TYPES.map((type) => [messageName(type), eventMessage(type)])),
    deadLetter: {
      name: 'dead-letter',
      title: 'A record that breaks the contract',
      contentType: 'application/octet-stream',
      headers: deadLetterHeadersSchema,
      payload: { description: 'The bytes of the value, unchanged.' },
    },
  }
}

/** AsyncAPI's keys have no dots. */
function messageName(type: EventType): string {
  return type.replaceAll(/[._](\w)/g, (_, letter: string) => letter.toUpperCase())
}

function eventMessage(type: EventType): object {
  const { description, example } = catalogue[type]
  const subject = isSessionType(type) ? 'session_01j9x8h3k5m7n9p1q3r5s7t9v1' : 'task_01j9x8k2m4e7s9v0w1x2y3z4a5'
  const member = isSessionType(type) ? 'session' : 'task'
  return {
    name: type,
    title: type,
    summary: `${description}.`,
    contentType: 'application/json',
    headers: recordHeadersSchema([type]),
    payload: payloadSchema(type),
    bindings: { kafka: { key: recordKeySchema } },
    examples: [
      {
        name: type,
        headers: {
          ce_specversion: '1.0',
          ce_id: 'evt_01m88y3fz3eeksq399rkr6wnx3',
          ce_type: type,
          ce_source: '/tenants/default/agents/analyzer',
          ce_subject: subject,
          ce_time: '2026-11-25T08:45:37.123Z',
          'content-type': 'application/json',
          ce_tenant: 'default',
          [`ce_${member}id`]: subject,
          ce_agent: 'analyzer',
        },
        payload: { [`${member}_id`]: subject, ...example },
      },
    ],
  }
}
