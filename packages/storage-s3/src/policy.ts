/** A policy of IAM, ready for `JSON.stringify`. */
export interface IamPolicy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly {
    readonly Sid: string
    readonly Effect: 'Allow'
    readonly Action: readonly string[]
    readonly Resource: string
    readonly Condition?: { readonly StringLike: { readonly 's3:prefix': readonly string[] } }
  }[]
}

/**
 * The least that Holdfast needs of a bucket.
 *
 * @param prefix - As in the options of the storage; empty for the whole bucket.
 */
export function minimalPolicy(bucket: string, prefix: string = ''): IamPolicy {
  const folder = prefix.replace(/^\/+|\/+$/g, '')
  const under = folder === '' ? '*' : `${folder}/*`
  const inFolder = folder === '' ? {} : { Condition: { StringLike: { 's3:prefix': [under] } } }
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'HoldfastObjects',
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:PutObjectTagging', 's3:GetObject', 's3:DeleteObject', 's3:AbortMultipartUpload'],
        Resource: `arn:aws:s3:::${bucket}/${under}`,
      },
      {
        Sid: 'HoldfastList',
        Effect: 'Allow',
        Action: ['s3:ListBucket'],
        Resource: `arn:aws:s3:::${bucket}`,
        ...inFolder,
      },
      {
        Sid: 'HoldfastUploads',
        Effect: 'Allow',
        Action: ['s3:ListBucketMultipartUploads'],
        Resource: `arn:aws:s3:::${bucket}`,
      },
    ],
  }
}

/** A lifecycle rule, as `aws s3api put-bucket-lifecycle-configuration` takes it, that removes stale uploads. */
export interface LifecycleConfiguration {
  readonly Rules: readonly {
    readonly ID: string
    readonly Status: 'Enabled'
    readonly Filter: { readonly Prefix: string }
    readonly AbortIncompleteMultipartUpload: { readonly DaysAfterInitiation: number }
  }[]
}

/** A safety net for uploads that nobody is left to abort. */
export function staleUploadRule(prefix: string = '', days: number = 2): LifecycleConfiguration {
  const folder = prefix.replace(/^\/+|\/+$/g, '')
  return {
    Rules: [
      {
        ID: 'holdfast-stale-uploads',
        Status: 'Enabled',
        Filter: { Prefix: folder === '' ? '' : `${folder}/` },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: days },
      },
    ],
  }
}
