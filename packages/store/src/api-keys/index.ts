export { createApiKeyStore } from './api-key-store.ts'
export type { ApiKeyStore } from './api-key-store.ts'
export { deleteExpiredApiKeyChanges, lockApiKeyChanges } from './api-key-changes.ts'
export type { ApiKeyChange } from './api-key-changes.ts'
export {
  countLiveApiKeys,
  deleteRevokedApiKeys,
  insertApiKey,
  listApiKeys,
  lockApiKey,
  revokeApiKey,
  rotateApiKey,
  seedBootstrapKey,
  updateApiKey,
} from './api-keys.ts'
export type { ApiKeyRow } from './api-keys.ts'
export type { ApiKeySecret } from './find-api-keys.ts'
