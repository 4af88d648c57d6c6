import type { Catalog } from '../catalog/catalog.js'
import type { Layout } from '../layout/layout.js'
import type { InUse } from './in-use.js'

/** What the engine is given beside the job. */
export interface EngineDeps {
  readonly catalog: Catalog
  readonly layout: Layout
  readonly inUse: InUse
}
