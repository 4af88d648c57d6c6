import { describe, expect, it } from 'vitest'
import { giveBack, lend } from './lent-block.js'

describe('a lent block', () => {
  it('goes back once to whoever lent it', () => {
    const back: Uint8Array[] = []
    const block = lend(Buffer.from('abc'), (returned) => back.push(returned))
    giveBack(block)
    giveBack(block)
    expect(back).toEqual([block])
    expect(back[0]).toBe(block)
  })

  it('stays away when a part of it is given back, or something else', () => {
    const back: Uint8Array[] = []
    const block = lend(Buffer.from('abc'), (returned) => back.push(returned))
    giveBack(block.subarray(1))
    giveBack(Buffer.from('abc'))
    expect(back).toEqual([])
  })
})
