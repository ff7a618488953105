import { CLI_SCHEMAS } from '@ariftly/cli/schemas'
import { buildAsyncapi, buildOpenapi, buildSchemaFiles } from '@ariftly/api-documents'

/** Examples in the published document are of this day, so that it does not change every day. */
const PUBLISHED_MS = Date.UTC(2026, 10, 25)

/** Every published document: paths below `schemas/` and their content. */
export function publishedFiles(): Readonly<Record<string, object>> {
  return {
    'openapi.json': buildOpenapi({ nowMs: PUBLISHED_MS }),
    'asyncapi.json': buildAsyncapi(),
    'cli.json': CLI_SCHEMAS,
    ...buildSchemaFiles(),
  }
}
