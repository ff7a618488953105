export { createApiKeyStore } from './api-key-store.ts'
export type { ApiKeyStore } from './api-key-store.ts'
export {
  deleteExpiredApiKeyChanges,
  latestApiKeyChange,
  lockApiKeyChanges,
  readApiKeyChanges,
} from './api-key-changes.ts'
export type { ApiKeyChange, ApiKeyChanges } from './api-key-changes.ts'
export {
  countLiveApiKeys,
  deleteRevokedApiKeys,
  insertApiKey,
  listApiKeys,
  lockApiKey,
  revokeApiKey,
  rotateApiKey,
  seedBootstrapKey,
  touchApiKeys,
  updateApiKey,
} from './api-keys.ts'
export type { ApiKeyRow, ListApiKeysOptions, NewApiKey, RotateApiKeyOptions } from './api-keys.ts'
export { findApiKeysByHash, findApiKeysById } from './find-api-keys.ts'
export type { ApiKeySecret } from './find-api-keys.ts'
