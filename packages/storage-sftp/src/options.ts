import { userInfo } from 'node:os'
import { BackupError, describeOptionProblems, type Secret, secretValue } from '@holdfast/core'
import * as z from 'zod'

const milliseconds = z.int().min(100).max(2_147_483_647)

/** SHA-256 of a host key as OpenSSH prints it: 43 characters of base64. */
const fingerprint = z
  .string()
  .regex(/^SHA256:[A-Za-z0-9+/]{43}=?$/, 'must be a fingerprint as ssh-keygen -l prints it, for example SHA256:47DEQ…')
  .transform((text) => text.replace(/=$/, ''))

/** Options of {@link sftp} as a user may write them. Unknown ones are refused. */
export const sftpOptionsSchema: z.ZodType<ResolvedSftpOptions, SftpOptions> = z
  .strictObject({
    host: z
      .string()
      .regex(/^[^\s/@[\]]+$/, 'must be the name or address of a host')
      .describe('Name or address of the server.'),
    port: z.int().min(1).max(65_535).default(22).describe('Port of the SSH server.'),
    username: z
      .string()
      .min(1)
      .default(() => userInfo().username)
      .describe('User on the server. Default: the name of the user who runs this.'),
    path: z
      .string()
      .min(1)
      .refine((path) => !path.includes('\0'), 'must not hold a NUL')
      .describe('Directory that keeps the backups; a relative path begins at the home directory of the user.'),
    privateKey: secretValue.optional().describe('Private key, in the format of OpenSSH, PEM or PuTTY.'),
    passphrase: secretValue.optional().describe('Passphrase of the private key.'),
    password: secretValue.optional().describe('Password of the user.'),
    agent: z
      .union([z.boolean(), z.string().min(1)])
      .optional()
      .describe('Socket of an SSH agent, or true for the one of SSH_AUTH_SOCK.'),
    hostFingerprint: z
      .union([fingerprint, z.array(fingerprint).min(1)])
      .transform((given) => [given].flat())
      .optional()
      .describe('SHA256:… of the host key, or several of them. Default: the host must be in known_hosts.'),
    knownHosts: z
      .union([z.string().min(1), z.array(z.string().min(1))])
      .transform((given) => [given].flat())
      .optional()
      .describe('Files of known host keys. Default: ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts.'),
    create: z
      .boolean()
      .default(true)
      .describe('Make the directory when it is missing. Set false for a mount point that must be there.'),
    connectTimeout: milliseconds.default(20_000).describe('Milliseconds to wait until signed in.'),
    idleTimeout: milliseconds
      .default(60_000)
      .describe('Milliseconds without an answer after which the connection is given up.'),
    keepAlive: milliseconds.default(15_000).describe('Milliseconds between signs of life while a connection rests.'),
    name: z
      .string()
      .min(1)
      .optional()
      .describe('What this storage is called in messages and records. Default: its URL.'),
  })
  .superRefine((options, context) => {
    if (options.passphrase && !options.privateKey) {
      context.addIssue({ code: 'custom', path: ['privateKey'], message: 'is missing: passphrase is set' })
    }
  })

type SecretInput = string | Secret | { env: string } | { file: string }

/** What {@link sftp} takes. Only `host` and `path` are required. */
export interface SftpOptions {
  host: string
  port?: number | undefined
  username?: string | undefined
  /** Directory on the server; a relative path begins at the home directory of the user. */
  path: string
  /** The key itself, or where it is: `{ file: '/home/me/.ssh/id_ed25519' }`. */
  privateKey?: SecretInput | undefined
  passphrase?: SecretInput | undefined
  password?: SecretInput | undefined
  agent?: boolean | string | undefined
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  hostFingerprint?: string | string[] | undefined
  knownHosts?: string | string[] | undefined
  create?: boolean | undefined
  connectTimeout?: number | undefined
  idleTimeout?: number | undefined
  keepAlive?: number | undefined
  name?: string | undefined
}

/** Options with their defaults in place. */
export interface ResolvedSftpOptions {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly path: string
  readonly privateKey?: Secret | undefined
  readonly passphrase?: Secret | undefined
  readonly password?: Secret | undefined
  readonly agent?: boolean | string | undefined
  readonly hostFingerprint?: readonly string[] | undefined
  readonly knownHosts?: readonly string[] | undefined
  readonly create: boolean
  readonly connectTimeout: number
  readonly idleTimeout: number
  readonly keepAlive: number
  readonly name?: string | undefined
}

/**
 * Checks options and fills in the defaults.
 *
 * @throws {BackupError} `storage-config-invalid`, naming every option that is wrong.
 */
export function resolveSftpOptions(options: SftpOptions): ResolvedSftpOptions {
  const result = sftpOptionsSchema.safeParse(options)
  if (result.success) return result.data
  throw new BackupError('storage-config-invalid', {
    message: `The options of the SFTP storage cannot be used: ${describeOptionProblems(result.error, options, sftpOptionsSchema)}`,
    hint: 'Correct them in the configuration, the URL or the SFTP_ variables.',
  })
}

/** `user@host:port`, for messages. */
export function serverOf({ username, host, port }: ResolvedSftpOptions): string {
  const bracketed = host.includes(':') ? `[${host}]` : host
  return `${username}@${bracketed}${port === 22 ? '' : `:${port}`}`
}

/** `sftp://user@host:port/dir`, for messages and records. */
export function displayOf(options: ResolvedSftpOptions): string {
  const path = options.path.replace(/(?<=.)\/+$/, '')
  return `sftp://${serverOf(options)}${path.startsWith('/') ? path : `/~/${path}`}`
}
