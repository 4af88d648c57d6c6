import { describe, expect, it } from 'vitest'
import { giveBack, lend, lendToEach } from './lent-block.js'

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

describe('a block with several readers', () => {
  it('goes back when each has given back its own, however often one does', () => {
    const back: Uint8Array[] = []
    const block = lend(Buffer.from('abc'), (returned) => back.push(returned))
    const [first, second] = lendToEach(block, 2) as [Uint8Array, Uint8Array]
    expect([Buffer.from(first).toString(), Buffer.from(second).toString()]).toEqual(['abc', 'abc'])
    giveBack(first)
    giveBack(first)
    expect(back).toEqual([])
    giveBack(second)
    expect(back[0]).toBe(block)
  })

  it('is passed on as it is where there is one reader, or nobody who lent it', () => {
    const lent = lend(Buffer.from('abc'), () => {})
    const own = Buffer.from('abc')
    expect(lendToEach(lent, 1)[0]).toBe(lent)
    expect(lendToEach(own, 3)).toEqual([own, own, own])
    expect(lendToEach(own, 0)).toEqual([])
  })
})
