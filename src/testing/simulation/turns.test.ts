import { describe, expect, it } from 'vitest'
import { createNodePlatform } from '../../platform/index.ts'
import { takeTurns } from './turns.ts'

const { clock } = createNodePlatform()

describe('turns', () => {
  it('let everything that was promised happen before the next one, however deep', async () => {
    const order: string[] = []
    let turn = 0
    const promised = async (depth: number, name: string): Promise<void> => {
      for (let step = 0; step < depth; step += 1) await Promise.resolve()
      order.push(name)
    }
    await takeTurns(clock, () => {
      turn += 1
      order.push(`turn ${turn}`)
      if (turn > 200) return false
      void promised(turn % 2 === 0 ? 3_000 : 1, `promised ${turn}`)
      queueMicrotask(() => queueMicrotask(() => void promised(20, `queued ${turn}`)))
      process.nextTick(() => void promised(5, `ticked ${turn}`))
      return true
    })
    for (let count = 1; count <= 200; count += 1) {
      const start = order.indexOf(`turn ${count}`)
      const end = order.indexOf(`turn ${count + 1}`)
      const within = order.slice(start + 1, end).sort()
      expect(within).toEqual([`promised ${count}`, `queued ${count}`, `ticked ${count}`])
    }
  })

  it('end with the error of a step, and take no further step', async () => {
    let turns = 0
    const taking = takeTurns(clock, () => {
      turns += 1
      if (turns === 3) throw new Error('the third')
      return true
    })
    await expect(taking).rejects.toThrow('the third')
    await new Promise<void>((resolve) => clock.defer(resolve))
    expect(turns).toBe(3)
  })
})
