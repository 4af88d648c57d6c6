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
 * Returns a block to whoever lent it; other chunks are left alone. For the one who turns chunks into something else,
 * and only when nobody else reads them any more: they are about to hold other bytes.
 */
export function giveBack(block: Uint8Array): void {
  const takeBack = lenders.get(block)
  lenders.delete(block)
  takeBack?.(block)
}
