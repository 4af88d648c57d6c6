import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { mapConcurrently } from './map-concurrently.js'

it('keeps the order, and no more than the limit under way', async () => {
  let [underWay, most] = [0, 0]
  const doubled = await mapConcurrently([3, 1, 2], 2, async (item) => {
    underWay++
    most = Math.max(most, underWay)
    await sleep(item)
    underWay--
    return item * 2
  })
  expect([doubled, most]).toEqual([[6, 2, 4], 2])
})

it('begins nothing more once one has failed', async () => {
  const begun: number[] = []
  const failing = mapConcurrently([...Array(100).keys()], 4, async (item) => {
    begun.push(item)
    await sleep(1)
    if (item === 1) throw new Error('no more')
    await sleep(1)
  })
  await expect(failing).rejects.toThrow('no more')
  await sleep(20)
  expect(begun.length).toBeLessThan(9)
})
