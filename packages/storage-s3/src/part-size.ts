/** Parts of one size within an upload. */
export interface Stage {
  /** Bytes of each part. */
  readonly partSize: number
  /** Most parts of this size. */
  readonly parts: number
  /** How many are sent at once. */
  readonly queue: number
}

/** What bounds an upload. */
export interface PartLimits {
  /** Bytes of the first parts. */
  readonly partSize: number
  /** Parts sent at once while they are of the first size. */
  readonly queue: number
  /** Most parts that the service takes. */
  readonly maxParts: number
}

/** Largest object and largest part of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const maxObjectBytes: number = 5 * 1024 ** 4
const maxPartBytes = 5 * 1024 ** 3

/** How often the part size doubles: ten stages of 1,000 parts, from 8 MiB on, hold 8 TiB. */
const stageCount = 10

/**
 * How part sizes grow with an object of unknown length: every tenth of the parts that the service allows, they double.
 * With 8 MiB and 10,000 parts they stay at 8 MiB up to 7.8 GiB and are 64 MiB at 100 GiB. Fewer are sent at once as
 * they grow, so that what is in flight stays at `partSize × queue` until a single part is larger than that.
 */
export function planStages(limits: PartLimits): readonly Stage[] {
  const inFlight = limits.partSize * limits.queue
  const parts = Math.floor(limits.maxParts / stageCount)
  return Array.from({ length: stageCount }, (_, index) => {
    const partSize = Math.min(limits.partSize * 2 ** index, maxPartBytes)
    return { partSize, parts, queue: Math.max(1, Math.floor(inFlight / partSize)) }
  })
}

/** Bytes that fit into an upload. */
export function capacity(stages: readonly Stage[]): number {
  const bytes = stages.reduce((sum, stage) => sum + stage.partSize * stage.parts, 0)
  return Math.min(bytes, maxObjectBytes)
}
