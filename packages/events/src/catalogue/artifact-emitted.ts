import { Type } from '@sinclair/typebox'
import type { CatalogueEntry } from './entry.ts'

/** Members of `data` of a `artifact.emitted`. */
const artifactEmittedData = Type.Object({
  artifact_id: Type.String(),
  type: Type.String(),
  uri: Type.Optional(Type.String()),
  media_type: Type.Optional(Type.String()),
  size_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
})

/** `artifact.emitted`: An agent emits an artifact. */
export const artifactEmitted: CatalogueEntry = {
  type: 'artifact.emitted',
  description: 'An agent emits an artifact',
  schema: artifactEmittedData,
  example: {
    artifact_id: 'art_01j9x8m5n6p7q8r9s0t1v2w3x4',
    type: 'ai_readiness.questionnaire_response',
    uri: 's3://artifacts/01j9x8m5.json',
    media_type: 'application/json',
    size_bytes: 2048,
  },
}
