import { BackupError, type BackupErrorOptions, isBackupError } from '@holdfast/core'
import type { Place } from './place.js'

/** What was asked for: the permission it needs, by its name in IAM, and the object. */
export interface S3Request {
  readonly action:
    | 's3:PutObject'
    | 's3:GetObject'
    | 's3:DeleteObject'
    | 's3:ListBucket'
    | 's3:AbortMultipartUpload'
    | 's3:ListBucketMultipartUploads'
  /** Key without the prefix. */
  readonly key?: string
}

/** The parts of an error of the SDK that tell what happened. */
interface SdkError {
  readonly name?: string
  readonly code?: string
  readonly message?: string
  readonly Region?: string
  readonly StorageClass?: string
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number }
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> }
}

/** Makes of anything the SDK throws the error that a user can act on. */
export function toBackupError(error: unknown, place: Place, request: S3Request): BackupError {
  if (isBackupError(error)) return error
  const seen: SdkError = typeof error === 'object' && error !== null ? error : {}
  const { code, ...rest } = explain(seen, place, request)
  return new BackupError(code, { ...rest, cause: error })
}

/** Status of the answer that made the SDK throw, if there was one. */
function statusOf(error: unknown): number | undefined {
  const seen = error as SdkError | undefined
  return seen?.$response?.statusCode ?? seen?.$metadata?.httpStatusCode
}

/** Status of the answer beneath an error made by {@link toBackupError}. */
export function causeStatus(error: unknown): number | undefined {
  return error instanceof Error ? statusOf(error.cause) : undefined
}

type Explanation = BackupErrorOptions & { readonly code: BackupError['code'] }

function explain(error: SdkError, place: Place, request: S3Request): Explanation {
  const object = request.key === undefined ? place.display : place.objectName(request.key)
  return (
    explainCredentials(error, place) ??
    explainBucket(error, place) ??
    explainObject(error, place, request, object) ??
    explainDenial(error, request, object) ??
    explainNetwork(error, place) ??
    explainRest(error, request, object)
  )
}

function explainCredentials(error: SdkError, place: Place): Explanation | undefined {
  switch (error.name) {
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch': {
      const wrong = error.name === 'InvalidAccessKeyId' ? 'access key id' : 'secret access key'
      return denied(`${place.display} does not accept the ${wrong}`, 'Check S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY.')
    }
    case 'ExpiredToken':
    case 'ExpiredTokenException':
    case 'TokenRefreshRequired':
    case 'InvalidToken':
      return denied(
        `The credentials for ${place.display} have expired or were withdrawn`,
        'Sign in again or renew the session token; a role or profile that refreshes itself serves long runs better.',
      )
    case 'CredentialsProviderError':
      return denied(
        `No credentials were found for ${place.display}`,
        'Set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or give this machine a profile or role.',
      )
    case 'RequestTimeTooSkewed':
    case 'RequestExpired':
      return denied(
        `${place.display} refuses requests because the clocks differ${clocks(error)}`,
        'Synchronise the clock.',
      )
    default:
      return undefined
  }
}

function explainBucket(error: SdkError, place: Place): Explanation | undefined {
  const region = error.Region ?? error.$response?.headers?.['x-amz-bucket-region']
  switch (error.name) {
    case 'NoSuchBucket':
      return misconfigured(
        `There is no bucket ${place.bucket}${place.options.endpoint ? ` at ${place.options.endpoint}` : ''}`,
        'Create it, or correct the name.',
      )
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return wrongRegion(place, region)
    default:
      return statusOf(error) === 301 ? wrongRegion(place, region) : undefined
  }
}

function explainObject(error: SdkError, place: Place, request: S3Request, object: string): Explanation | undefined {
  switch (error.name) {
    case 'NoSuchKey':
    case 'NotFound':
      return { code: 'not-found', message: `There is no object ${object}` }
    case 'InvalidObjectState': {
      const key = place.prefix + (request.key ?? '')
      return {
        code: 'unavailable',
        message: `${object} is archived${error.StorageClass ? ` (${error.StorageClass})` : ''} and cannot be read as it is`,
        hint: `Thaw it, wait until that is done (hours), and try again: aws s3api restore-object --bucket ${place.bucket} --key '${key.replaceAll("'", "'\\''")}' --restore-request Days=7`,
      }
    }
    case 'InvalidStorageClass':
    case 'InvalidEncryptionAlgorithmError':
      return misconfigured(
        `${place.display} does not know the storageClass or sse that is set`,
        'Correct or remove it.',
      )
    case 'QuotaExceeded':
    case 'QuotaExceededException':
    case 'XMinioStorageFull':
    case 'XMinioAdminBucketQuotaExceeded':
    case 'InsufficientStorage':
      return {
        code: 'storage-full',
        message: `${place.display} has no room left`,
        hint: 'Make room or raise the quota.',
      }
    default:
      return error.name?.startsWith('KMS.')
        ? denied(`${place.display} cannot use its encryption key: ${error.message}`, 'Check kmsKeyId and its policy.')
        : undefined
  }
}

function explainDenial(error: SdkError, request: S3Request, object: string): Explanation | undefined {
  if (error.name !== 'AccessDenied' && statusOf(error) !== 403 && statusOf(error) !== 401) return undefined
  return denied(
    `${object} was refused: ${error.name === 'AccessDenied' ? '' : 'wrong keys, or '}no permission for ${request.action}`,
    'holdfast doctor prints the policy that is needed.',
  )
}

const certificateProblems = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]

function explainNetwork(error: SdkError, place: Place): Explanation | undefined {
  if (error.code && certificateProblems.includes(error.code)) {
    return misconfigured(
      `The certificate of ${place.options.endpoint ?? 'the S3 service'} is not trusted (${error.code})`,
      'Set caFile to the certificate of its authority.',
    )
  }
  if (error.code === 'ENOTFOUND' || error.code === 'EAI_AGAIN') {
    const { endpoint } = place.options
    if (endpoint) return unavailable(`The host of ${endpoint} has no address`, 'Check endpoint and DNS.')
    const hint = 'Check network and DNS. A service other than AWS is named by its endpoint.'
    return unavailable(`The host of AWS for ${place.display} has no address`, hint)
  }
  const status = statusOf(error)
  if (status === 507) return { code: 'storage-full', message: `${place.display} has no room left` }
  const busy = status !== undefined && ((status >= 500 && status !== 501) || status === 429 || status === 408)
  const unanswered = error.name === 'TimeoutError' || typeof error.code === 'string'
  if (!busy && !unanswered) return undefined
  const cause = error.name === 'TimeoutError' ? 'no answer in time' : error.code
  const attempts = error.$metadata?.attempts
  return unavailable(
    `${place.display} does not answer${attempts && attempts > 1 ? ` after ${attempts} attempts` : ''}: ${
      busy ? `${status} ${error.name}` : cause
    }`,
    'The service or the way to it has a problem; trying again later may help.',
  )
}

/** What happened on the way, not at an end of it. */
const damagedOnTheWay = ['BadDigest', 'XAmzContentSHA256Mismatch', 'IncompleteBody', 'RequestTimeout']

function explainRest(error: SdkError, request: S3Request, object: string): Explanation {
  const status = statusOf(error)
  return {
    code: 'unavailable',
    retryable: damagedOnTheWay.includes(error.name ?? ''),
    message: `${request.action} failed on ${object}: ${error.name ?? 'unknown'}${status ? ` (${status})` : ''}: ${error.message ?? error}`,
  }
}

function wrongRegion(place: Place, region: string | undefined): Explanation {
  return misconfigured(
    `The bucket ${place.bucket} is ${region ? `in the region ${region}, not in` : 'not in the region'} ${
      place.options.region ?? 'us-east-1 (the default)'
    }`,
    region ? `Set region to ${region}.` : 'Set region to that of the bucket, or correct the endpoint.',
  )
}

/** Both clocks, as far as the answer tells. */
function clocks(error: SdkError): string {
  const theirs = error.$response?.headers?.date
  const ours = new Date().toISOString()
  return theirs ? `: here ${ours}, there ${new Date(theirs).toISOString()}` : `: here ${ours}`
}

function denied(message: string, hint: string): Explanation {
  return { code: 'storage-denied', message, hint }
}

function misconfigured(message: string, hint: string): Explanation {
  return { code: 'storage-config-invalid', message, hint }
}

function unavailable(message: string, hint: string): Explanation {
  return { code: 'unavailable', message, hint, retryable: true }
}
