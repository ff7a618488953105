import { published } from '@ariftly/contract'
import { EVENT_TYPES } from '@ariftly/events'
import type { TSchema } from '@sinclair/typebox'
import { acceptedEntrySchema, ingestResultsSchema, refusedEntrySchema } from './answer-schemas.ts'
import { eventSchema, newEventSchema, payloadSchema } from './event-schemas.ts'
import { problemSchema } from './problem-schema.ts'
import { deadLetterHeadersSchema, recordHeadersSchema } from './record-schemas.ts'
import { deliveryWithAttemptsSchema, webhookSchema } from './webhook-schemas.ts'

const BASE = 'https://schemas.ariftly.io/v1'

/** The JSON Schema files (draft 2020-12) that are published: paths below `schemas/` and their content. */
export function buildSchemaFiles(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const schemas: readonly (readonly [path: string, schema: TSchema])[] = [
    ...EVENT_TYPES.map((type) => [`events/${type}.json`, payloadSchema(type)] as const),
    ['event.json', eventSchema],
    ['new-event.json', newEventSchema()],
    ['ingest-results.json', ingestResultsSchema(acceptedEntrySchema, refusedEntrySchema)],
    ['problem.json', problemSchema],
    ['webhook.json', webhookSchema],
    ['delivery.json', deliveryWithAttemptsSchema],
    ['record-headers.json', recordHeadersSchema()],
    ['dead-letter-headers.json', deadLetterHeadersSchema],
  ]
  return Object.fromEntries(schemas.map(([path, schema]) => [path, asFile(path, schema)]))
}

function asFile(path: string, schema: TSchema): Readonly<Record<string, unknown>> {
  const plain = published(schema) as Record<string, unknown>
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `${BASE}/${path}`, ...plain }
}
