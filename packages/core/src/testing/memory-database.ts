/** What a `memoryDriver` is bound to. `content` is `undefined` while the database does not exist. */
export interface MemoryDatabase {
  content: Uint8Array | undefined
  /** Of one that was put aside: until when it is meant to be kept. */
  readonly keepUntil?: Date
  /** What stands beside it. By name; without one, the driver makes no scratch databases. */
  readonly beside?: Map<string, MemoryDatabase>
}
