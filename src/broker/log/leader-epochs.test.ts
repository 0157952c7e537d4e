import { describe, expect, it } from 'vitest'
import { LeaderEpochs } from './leader-epochs.ts'

function epochsOf(...entries: [epoch: number, startOffset: number][]): LeaderEpochs {
  const epochs = new LeaderEpochs()
  for (const [epoch, startOffset] of entries) epochs.begin(epoch, startOffset)
  return epochs
}

describe('LeaderEpochs', () => {
  it('ends the latest epoch with the log, and the others where the next begins', () => {
    const epochs = epochsOf([1, 0], [3, 10], [4, 25])
    expect(epochs.endOffset(4, 40)).toEqual({ epoch: 4, endOffset: 40 })
    expect(epochs.endOffset(3, 40)).toEqual({ epoch: 3, endOffset: 25 })
    expect(epochs.endOffset(1, 40)).toEqual({ epoch: 1, endOffset: 10 })
  })

  it('answers for an epoch in which nothing was written with the one before', () => {
    expect(epochsOf([1, 0], [3, 10]).endOffset(2, 40)).toEqual({ epoch: 1, endOffset: 10 })
  })

  it('answers for an epoch before the first where the first begins', () => {
    expect(epochsOf([3, 10], [4, 25]).endOffset(1, 40)).toEqual({ epoch: 1, endOffset: 10 })
  })

  it('ends an epoch that has begun without a record with the log', () => {
    expect(epochsOf([1, 0]).endOffset(5, 40)).toEqual({ epoch: 5, endOffset: 40 })
    expect(epochsOf().endOffset(0, 0)).toEqual({ epoch: 0, endOffset: 0 })
  })

  it('knows nothing of an epoch below 0', () => {
    expect(epochsOf([1, 0]).endOffset(-1, 40)).toEqual({ epoch: -1, endOffset: -1 })
  })

  it('tells in which epoch an offset was written', () => {
    const epochs = epochsOf([1, 5], [3, 10])
    expect([4, 5, 9, 10, 99].map((offset) => epochs.at(offset))).toEqual([-1, 1, 1, 3, 3])
  })

  it('ignores epochs that are not newer, and forgets those in which nothing was written', () => {
    const epochs = epochsOf([1, 0], [2, 10], [3, 10], [2, 20], [3, 30])
    expect(epochs.entries).toEqual([
      { epoch: 1, startOffset: 0 },
      { epoch: 3, startOffset: 10 },
    ])
  })

  it('starts with the log', () => {
    const epochs = epochsOf([1, 0], [2, 10], [3, 20])
    epochs.trimStart(15)
    expect(epochs.entries).toEqual([
      { epoch: 2, startOffset: 15 },
      { epoch: 3, startOffset: 20 },
    ])
  })
})
