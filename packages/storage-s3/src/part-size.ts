/** Parts of one size within an upload, and the memory that they pass through. */
export interface Stage {
  /** Bytes of each part. */
  readonly partSize: number
  /** Buffers: one is filled while the others are sent. */
  readonly windows: number
  /** Parts that a buffer holds; they are sent side by side. */
  readonly partsPerWindow: number
  /** How often a buffer is filled and sent. */
  readonly turns: number
}

/** What bounds an upload. */
export interface PartLimits {
  /** Bytes of the first parts. */
  readonly partSize: number
  /** Parts held at once while they are of the first size. */
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
 * How part sizes grow with an object of unknown length: with every tenth of the parts that the service takes, they
 * double. With 8 MiB and 10,000 parts they stay at 8 MiB up to 7.8 GiB and are 64 MiB at 100 GiB. Fewer are held at
 * once as they grow, so that memory stays at `partSize × queue` for as long as two parts fit into that.
 */
export function planStages(limits: PartLimits): readonly Stage[] {
  const memory = limits.partSize * limits.queue
  return Array.from({ length: stageCount }, (_, index) => {
    const partSize = Math.min(limits.partSize * 2 ** index, maxPartBytes)
    const atOnce = Math.max(2, Math.floor(memory / partSize))
    const partsPerWindow = atOnce % 4 === 0 ? 2 : 1
    const turns = Math.floor(limits.maxParts / stageCount / partsPerWindow)
    return { partSize, partsPerWindow, windows: atOnce / partsPerWindow, turns }
  })
}

/** Bytes that fit into an upload. */
export function capacity(stages: readonly Stage[]): number {
  const bytes = stages.reduce((sum, stage) => sum + stage.partSize * stage.partsPerWindow * stage.turns, 0)
  return Math.min(bytes, maxObjectBytes)
}
