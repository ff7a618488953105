export { buildOpenapi } from './openapi/build-openapi.ts'
export type { OpenapiOptions } from './openapi/build-openapi.ts'
export { responseOf } from './openapi/share-responses.ts'
export type {
  OpenapiContent,
  OpenapiDocument,
  OpenapiOperation,
  OpenapiParameter,
  OpenapiResponse,
} from './openapi/document.ts'
export { buildAsyncapi } from './asyncapi/build-asyncapi.ts'
export { buildSchemaFiles } from './json-schemas/build-schema-files.ts'
export { GUIDES, readGuides } from '@ariftly-services/api/answers'
