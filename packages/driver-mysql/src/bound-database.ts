import type { Connection } from './connection.js'
import type { MysqlSettings } from './options.js'

/** What a driver is bound to. */
export interface BoundDatabase {
  readonly connection: Connection
  readonly settings: MysqlSettings
  /** Of a scratch database: nobody will miss it, and what is to be made in earnest is kept here. */
  readonly scratch?: ScratchState
}

/** What a scratch database is told by the restore that fills it. */
interface ScratchState {
  /** Events stand still in a scratch; these are to run again where it takes its place. */
  readonly enabledEvents: Set<string>
}
