import { describe, expect, it } from 'vitest'
import { requalify, runEvent, stopEvent } from './definition-text.js'

describe('events', () => {
  const event = 'CREATE EVENT e ON SCHEDULE EVERY 1 DAY ON COMPLETION NOT PRESERVE ENABLE COMMENT "ENABLE" DO SELECT 1'

  it('are stopped, and run again as they were', () => {
    expect(stopEvent(event)).toBe(event.replace('ENABLE COMMENT', 'DISABLE COMMENT'))
    expect(runEvent(stopEvent(event))).toBe(event)
  })

  it('of a replica, and those that say nothing, stay as they are', () => {
    const replica = event.replace('ENABLE COMMENT', 'DISABLE ON SLAVE COMMENT')
    expect(runEvent(replica)).toBe(replica)
    expect(stopEvent('CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1')).not.toContain('DISABLE')
  })
})

describe('requalify', () => {
  it.each([
    ['select `a`.`x` from `a`.`t`', 'select `b`.`x` from `b`.`t`'],
    ["select '`a`.' from `t`.`a`.`x`", "select '`a`.' from `t`.`a`.`x`"],
    ['select `x` from `t`', 'select `x` from `t`'],
  ])('%s', (sql, expected) => expect(requalify(sql, 'a', 'b')).toBe(expected))
})
