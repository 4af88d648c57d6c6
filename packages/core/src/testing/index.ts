export * from './fake-clock.js'
export * from './memory-storage.js'
export type { StorageCase, StorageCaseEnv } from './storage/storage-case.js'
export * from './storage-contract.js'
