import { describe, expect, it } from 'vitest'
import { AppendRefused } from '../coordinator-log.ts'
import { coordinatorLog } from './coordinator-log.ts'
import { batchOf, changingConfig, memoryLog, onSimulatedMachine, readAll } from './log-fixture.ts'
import { openLogFolder } from './log-folder.ts'
import type { PartitionLog } from './partition-log.ts'

function stateOf(key: string, value: string | null) {
  return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value) }
}

/** All that a reader is told, as lines. */
function replayed(log: PartitionLog): string[] {
  const lines: string[] = []
  coordinatorLog({ log, index: 0, leaderEpoch: 0 }).replay({
    record: (offset, { key, value }, transaction) => {
      const of = transaction === undefined ? '' : ` of ${transaction.producerId}`
      lines.push(`${offset} ${key.toString()}=${value?.toString() ?? 'null'}${of}`)
    },
    marker: (offset, producerId, committed) => {
      lines.push(`${offset} ${committed ? 'commit' : 'abort'} of ${producerId}`)
    },
  })
  return lines
}

describe('the log of a coordinator', () => {
  it('is replayed as it was written', async () => {
    const { log } = await memoryLog({ compacted: true, segmentBytes: 300 })
    const state = coordinatorLog({ log, index: 7, leaderEpoch: 3 })
    expect(state.partition).toBe(7)
    expect(await state.append([stateOf('a', '1'), stateOf('b', null)])).toBe(1)
    const transaction = { producerId: 5, producerEpoch: 2 }
    expect(await state.append([stateOf('c', '2')], transaction)).toBe(2)
    log.appendMarker({ ...transaction, coordinatorEpoch: 0, commit: true, transactionVersion: 0 })
    await state.append([stateOf('d', '3')], transaction)
    log.appendMarker({ ...transaction, coordinatorEpoch: 0, commit: false, transactionVersion: 0 })
    expect(replayed(log)).toEqual([
      '0 a=1',
      '1 b=null',
      '2 c=2 of 5',
      '3 commit of 5',
      '4 d=3 of 5',
      '5 abort of 5',
    ])
    expect(log.epochAt(0)).toBe(3)
  })

  it('says why it has written nothing', async () => {
    const { log } = await memoryLog()
    const state = coordinatorLog({ log, index: 0, leaderEpoch: 0 })
    await state.append([stateOf('a', '1')], { producerId: 5, producerEpoch: 2 })
    const zombie = state.append([stateOf('a', '0')], { producerId: 5, producerEpoch: 1 })
    await expect(zombie).rejects.toBeInstanceOf(AppendRefused)
    await expect(zombie).rejects.toMatchObject({ refusal: { error: 'INVALID_PRODUCER_EPOCH' } })
    expect(log.logEndOffset).toBe(1)
  })

  it('resolves appends in the order in which they were made, when they are durable', () =>
    onSimulatedMachine(async (platform) => {
      const folder = await openLogFolder({ platform, path: '/data', durability: 'sync' })
      const config = changingConfig({ compacted: true, segmentBytes: 500 })
      const log = folder.open({ topic: 'state', topicId: 'id', partition: 0 }, () => config)
      const state = coordinatorLog({ log, index: 0, leaderEpoch: 0 })
      const order: number[] = []
      const appends: Promise<void>[] = []
      for (let n = 0; n < 40; n++) {
        const append = state.append([stateOf('key', `${n}`)]).then((offset) => {
          order.push(n)
          expect(offset).toBe(n)
          expect(log.highWatermark).toBeGreaterThan(n)
        })
        appends.push(append)
        if (n % 5 === 0) await platform.clock.sleep(1)
      }
      await Promise.all(appends)
      expect(order).toEqual(Array.from({ length: 40 }, (_, n) => n))
      await folder.close()
    }))

  it('is not replayed past a batch that is damaged', async () => {
    const { log } = await memoryLog()
    const state = coordinatorLog({ log, index: 0, leaderEpoch: 0 })
    for (const value of ['1', '2', '3']) await state.append([stateOf('a', value)])
    const [, second] = readAll(log)
    second?.bytes.fill('4', second.sizeInBytes - 2)
    expect(() => replayed(log)).toThrow('the batch at offset 1 has a wrong CRC')
  })

  it('leaves records without a key to whoever wrote them', async () => {
    const { log } = await memoryLog()
    log.append(batchOf([{ key: null, value: Buffer.from('stray') }]))
    expect(replayed(log)).toEqual([])
  })
})
