import type { Validation, ValidationContext } from '@ariftly/events'
import { validateBinaryCloudEvent, validateCloudEvents, validateEvents } from '@ariftly/events/validate'
import type { Content } from './content.ts'

/** Starts to validate the entries of a complete, decompressed body in any accepted format. */
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
