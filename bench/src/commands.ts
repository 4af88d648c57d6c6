import { join } from 'node:path'
import type { Bench } from '#bench/bench'
import type { Command } from '#bench/measure'
import { holdfastBin, workDir } from '#bench/paths'

/** Where either side writes its files. */
export const outDir: string = join(workDir, 'out')

const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`

/** Storages as `--to` and `--from` of Holdfast take them. */
export const toDisk: string = quoted(join(outDir, 'holdfast'))
export const toS3 = ({ sink }: Bench): string => `s3://${sink.bucket}/holdfast`

/** A command line of Holdfast as users type it; databases and secrets come from the environment. */
export function holdfast(args: string, database: string, { server, sink }: Bench): Command {
  return {
    line: `${quoted(process.execPath)} ${quoted(holdfastBin)} ${args}`,
    env: {
      XDG_STATE_HOME: '/dev/null', // the storages are emptied between runs: nothing may remember them
      DATABASE_URL: server.url(database, { password: true }),
      S3_ENDPOINT: sink.endpoint,
      S3_ACCESS_KEY_ID: sink.accessKeyId,
      S3_SECRET_ACCESS_KEY: sink.secretAccessKey,
    },
  }
}

/**
 * A shell pipeline of the usual tools.
 *
 * @param line - `DUMP` in it becomes pg_dump, `RESTORE` pg_restore, each with the database; `$OUT` is
 *   {@link outDir}, `$BUCKET` the bucket as rclone names it.
 */
export function pipeline(line: string, database: string, { server, sink }: Bench): Command {
  const tool = (name: string): string => quoted(join(server.binDir, name))
  return {
    line: line
      .replace('DUMP', `${tool('pg_dump')} --dbname="$DATABASE"`)
      .replace('RESTORE', `${tool('pg_restore')} --dbname="$DATABASE"`),
    env: {
      DATABASE: server.url(database),
      PGPASSWORD: server.password,
      OUT: outDir,
      BUCKET: `bench:${sink.bucket}`,
      RCLONE_CONFIG: '/dev/null',
      RCLONE_CONFIG_BENCH_TYPE: 's3',
      RCLONE_CONFIG_BENCH_PROVIDER: 'Other',
      RCLONE_CONFIG_BENCH_ENDPOINT: sink.endpoint,
      RCLONE_CONFIG_BENCH_ACCESS_KEY_ID: sink.accessKeyId,
      RCLONE_CONFIG_BENCH_SECRET_ACCESS_KEY: sink.secretAccessKey,
      RCLONE_CONFIG_BENCH_FORCE_PATH_STYLE: 'true',
      RCLONE_CONFIG_BENCH_NO_CHECK_BUCKET: 'true',
      // The fastest settings of those tried: parts as large as Holdfast's, and no MD5 of them.
      RCLONE_S3_CHUNK_SIZE: '8Mi',
      RCLONE_S3_DISABLE_CHECKSUM: 'true',
      RCLONE_IGNORE_CHECKSUM: 'true',
      AWS_CA_BUNDLE: '', // rclone refuses to start with one
    },
  }
}

/** What `DUMP -Fc -Z0 | …` is compressed with: what a careful script does today. */
export const bareDump = 'DUMP -Fc -Z0 | zstd -3 -T2 -q'
