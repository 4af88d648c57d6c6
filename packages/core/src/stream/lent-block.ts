/**
 * Blocks that are filled again once their last reader is done with them. New ones for every mebibyte of a dump would be
 * garbage by the gigabyte, whose collection costs a twentieth of a backup's processor time.
 */
const lenders = new WeakMap<Uint8Array, (block: Uint8Array) => void>()

/** Passes a block on; `takeBack` gets it once {@link giveBack} is called, which need not ever be. */
export function lend<Block extends Uint8Array>(block: Block, takeBack: (block: Block) => void): Block {
  lenders.set(block, () => takeBack(block))
  return block
}

/**
 * Says that a chunk of a stream is done with, so that its memory is filled again; at most once counts, and of most
 * chunks nothing comes of it. For the one who turns chunks into something else, or has stored them, and only when
 * nobody else reads them any more: they are about to hold other bytes. Nobody has to call it.
 */
export function giveBack(block: Uint8Array): void {
  const takeBack = lenders.get(block)
  lenders.delete(block)
  takeBack?.(block)
}

/** A chunk for each of several readers; a lent one is given back when all of them have given back theirs. */
export function lendToEach(chunk: Uint8Array, readers: number): readonly Uint8Array[] {
  if (readers < 2 || !lenders.has(chunk)) return Array.from({ length: readers }, () => chunk)
  let reading = readers
  const takeBack = (): void => {
    if (--reading === 0) giveBack(chunk)
  }
  return Array.from({ length: readers }, () => lend(chunk.subarray(), takeBack))
}
