import type { PutObjectCommandInput } from '@aws-sdk/client-s3'
import type { Metadata } from '@holdfast/core'
import type { ResolvedS3Options } from './options.js'

/** Metadata field that tells which put made an object. */
const idField = 'holdfast-put'

/** Metadata that become tags with `tags: true`. */
const taggedMetadata = ['database', 'type', 'backup-id']

/** Most characters of the value of a tag. */
const longest = 256

type Description = Pick<
  PutObjectCommandInput,
  'ContentType' | 'Metadata' | 'StorageClass' | 'ServerSideEncryption' | 'SSEKMSKeyId' | 'Tagging'
>

/** What is said of an object beside its bytes. */
export function describeObject(
  options: Pick<ResolvedS3Options, 'storageClass' | 'sse' | 'kmsKeyId' | 'tags'>,
  metadata: Metadata | undefined,
  id: string,
): Description {
  const tags = tagsOf(options.tags, metadata ?? {})
  return {
    ContentType: 'application/octet-stream',
    Metadata: { ...inHeaders(metadata ?? {}), [idField]: id },
    ...(options.storageClass !== undefined && {
      StorageClass: options.storageClass as NonNullable<PutObjectCommandInput['StorageClass']>,
    }),
    ...(options.sse !== undefined && { ServerSideEncryption: options.sse }),
    ...(options.kmsKeyId !== undefined && { SSEKMSKeyId: options.kmsKeyId }),
    ...(tags !== '' && { Tagging: tags }),
  }
}

/** Which put made the object with these metadata, if it was one of ours. */
export function idOf(metadata: Metadata | undefined): string | undefined {
  return metadata?.[idField]
}

function tagsOf(wanted: boolean | Readonly<Record<string, string>>, metadata: Metadata): string {
  if (wanted === false) return ''
  const described = taggedMetadata.flatMap((name) =>
    metadata[name] === undefined ? [] : [[name, tag(metadata[name])]],
  )
  const tags: Record<string, string> = { ...Object.fromEntries(described), ...(wanted === true ? {} : wanted) }
  return Object.entries(tags)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

/** What a tag cannot hold becomes `_`, and the rest is cut: a name that is odd must not make a backup fail. */
function tag(value: string): string {
  return value
    .replace(/[^\p{L}\p{N}\p{Zs}+\-=._:/@]/gu, '_')
    .slice(0, longest)
    .toWellFormed()
}

/** Metadata travel in headers, which hold printable ASCII. */
function inHeaders(metadata: Metadata): Metadata {
  return Object.fromEntries(
    Object.entries(metadata).map(([name, value]) => [
      name,
      value
        .replace(/[^ -~]/gu, '_')
        .slice(0, longest)
        .trim(),
    ]),
  )
}
