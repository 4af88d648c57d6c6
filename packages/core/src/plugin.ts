import type * as z from 'zod'
import type { Driver } from './driver/driver.js'
import type { Storage } from './storage/storage.js'

/**
 * What a program needs to offer a driver or storage it does not know: a name, the URLs it answers to, and a schema
 * from which forms, docs and checks are made. A plugin is a value; there is no registry, and importing one does
 * nothing.
 */
export interface Plugin<Kind extends 'driver' | 'storage', Schema extends z.ZodType, Product> {
  readonly kind: Kind
  /** For example `postgres`. */
  readonly id: string
  /** For people, for example `PostgreSQL`. */
  readonly title: string
  /** URL schemes without the colon, for example `['postgres', 'postgresql']`. */
  readonly schemes: readonly string[]
  /** Options as a user may write them. */
  readonly options: Schema
  /** Reads a URL of one of `schemes` into options. */
  fromUrl(url: string): z.input<Schema>
  create(options: z.input<Schema>): Product
}

/** A {@link Plugin} that makes drivers. */
export type DriverPlugin<Schema extends z.ZodType = z.ZodType> = Plugin<'driver', Schema, Driver>
/** A {@link Plugin} that makes storages. */
export type StoragePlugin<Schema extends z.ZodType = z.ZodType> = Plugin<'storage', Schema, Storage>

/** Types a plugin from its schema. */
export function definePlugin<Kind extends 'driver' | 'storage', Schema extends z.ZodType, Product>(
  plugin: Plugin<Kind, Schema, Product>,
): Plugin<Kind, Schema, Product> {
  return plugin
}
