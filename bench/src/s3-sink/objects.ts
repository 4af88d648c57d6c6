import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'

/** Bytes of an object or of a part of it, as they came. */
export interface StoredFile {
  readonly path: string
  readonly size: number
}

/** A whole object: its parts in order. They are never joined. */
export interface StoredObject {
  readonly files: readonly StoredFile[]
  readonly size: number
  readonly etag: string
  readonly modified: Date
  readonly metadata: Readonly<Record<string, string>>
}

/** An upload that is neither completed nor aborted. */
export interface Upload {
  readonly metadata: Readonly<Record<string, string>>
  readonly parts: Map<number, StoredFile>
}

/** Objects by `bucket/key`. */
export const objects: Map<string, StoredObject> = new Map()

/** Uploads by their id. */
export const uploads: Map<string, Upload> = new Map()

export function storeObject(path: string, files: readonly StoredFile[], metadata: Upload['metadata']): StoredObject {
  removeObject(path)
  const size = files.reduce((sum, file) => sum + file.size, 0)
  const object = { files, size, metadata, etag: `"${randomUUID()}-${files.length}"`, modified: new Date() }
  objects.set(path, object)
  return object
}

export function removeObject(path: string): void {
  for (const file of objects.get(path)?.files ?? []) rmSync(file.path, { force: true })
  objects.delete(path)
}

export function abortUpload(id: string): void {
  for (const file of uploads.get(id)?.parts.values() ?? []) rmSync(file.path, { force: true })
  uploads.delete(id)
}
