// What needs the file system of Node.
export { openSpool, type SpoolOptions } from './open-spool.ts'
export { filePositionStore } from './file-position-store.ts'
export { LockHeldError, takeLock } from './folder-lock.ts'
