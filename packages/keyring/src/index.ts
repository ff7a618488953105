export { generateEncryptionKey } from './encryption-keys.ts'
export { createKeyring } from './keyring.ts'
export type { Keyring } from './keyring.ts'
