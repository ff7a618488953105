import type { Validation, ValidationContext } from '@ariftly/events'
import { validateBinaryCloudEvent, validateCloudEvents, validateEvents } from '@ariftly/events/validate'
import type { Content } from './content.ts'

/** Begins to validate the entries of a whole, decompressed body in any form that is taken. */
export function readEntries(content: Content, body: Buffer, context: ValidationContext): Validation {
  switch (content.kind) {
    case 'json':
    case 'ndjson':
      return validateEvents(body, content.kind, context)
    case 'structured':
    case 'batched':
      return validateCloudEvents(body, content.kind, context)
    case 'binary':
      return validateBinaryCloudEvent(content.attributes, body, context)
  }
}
