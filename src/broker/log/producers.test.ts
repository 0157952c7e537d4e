import { describe, expect, it } from 'vitest'
import { errorOf } from './log-fixture.ts'
import { sequenceAfter } from './producer-entry.ts'
import { Producers } from './producers.ts'
import type { ProducedBatch } from './producers.ts'

const sequenceMax = 0x7fff_ffff

function batch(baseSequence: number, count = 1, changes: Partial<ProducedBatch> = {}) {
  return {
    producerId: 7,
    producerEpoch: 0,
    baseSequence,
    lastSequence: baseSequence < 0 ? -1 : sequenceAfter(baseSequence, count - 1),
    lastOffsetDelta: count - 1,
    isTransactional: false,
    ...changes,
  }
}

/** Checks batches as a log does, and adds the ones that it would append. */
class Log {
  readonly producers = new Producers()
  endOffset = 0
  nowMs = 0

  send(sent: ProducedBatch, startsAtZero = false): string {
    const duplicate = this.producers.duplicateOf(sent)
    if (duplicate !== undefined) return `duplicate of ${duplicate.baseOffset}`
    const refusal = this.producers.checkBatch(sent, startsAtZero)
    if (refusal !== undefined) return refusal.error
    this.producers.addBatch(sent, this.endOffset, 1000 + this.endOffset, this.nowMs)
    this.endOffset += sent.lastOffsetDelta + 1
    return 'appended'
  }

  mark(producerEpoch: number, version: number, coordinatorEpoch = 0): string {
    const marker = { producerId: 7, producerEpoch, coordinatorEpoch }
    const refusal = this.producers.checkMarker(marker, version)
    if (refusal !== undefined) return refusal.error
    const start = this.producers.addMarker(marker, 2000, this.nowMs)
    this.endOffset += 1
    return start < 0 ? 'ended nothing' : `ended ${start}`
  }
}

describe('sequences of a producer', () => {
  it('follow each other, and a gap is refused', () => {
    const log = new Log()
    expect(log.send(batch(0, 3))).toBe('appended')
    expect(log.send(batch(3, 2))).toBe('appended')
    expect(log.send(batch(6))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(log.send(batch(5))).toBe('appended')
  })

  it('go on with 0 after the greatest one', () => {
    const log = new Log()
    expect(log.send(batch(sequenceMax - 1, 2))).toBe('appended')
    expect(log.send(batch(1))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(log.send(batch(0))).toBe('appended')
  })

  it('go on within a batch after the greatest one', () => {
    const log = new Log()
    expect(log.send(batch(sequenceMax - 1, 5))).toBe('appended')
    expect(log.send(batch(3))).toBe('appended')
    expect(log.send(batch(sequenceMax - 1, 5))).toBe('duplicate of 0')
  })

  it('are known again for the last five batches, and no more', () => {
    const log = new Log()
    for (let sequence = 0; sequence < 6; sequence++) log.send(batch(sequence))
    for (let sequence = 1; sequence < 6; sequence++) {
      expect(log.send(batch(sequence))).toBe(`duplicate of ${sequence}`)
    }
    expect(log.send(batch(0))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('are no duplicate when the batch is cut differently', () => {
    const log = new Log()
    log.send(batch(0, 3))
    expect(log.send(batch(0, 2))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(log.send(batch(1, 2))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })

  it('may begin anywhere when the producer is not known', () => {
    expect(new Log().send(batch(17))).toBe('appended')
  })

  it('must begin at 0 for a producer of transactions v2 that is not known', () => {
    const log = new Log()
    const ofTransaction = { isTransactional: true }
    expect(log.send(batch(17, 1, ofTransaction), true)).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(log.send(batch(0, 1, ofTransaction), true)).toBe('appended')
    expect(log.send(batch(17, 1, { producerId: 8 }), true)).toBe('appended')
  })

  it('start again at 0 with a new epoch, and old epochs are fenced', () => {
    const log = new Log()
    log.send(batch(0, 4))
    expect(log.send(batch(4, 1, { producerEpoch: 1 }))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
    expect(log.send(batch(0, 1, { producerEpoch: 1 }))).toBe('appended')
    expect(log.send(batch(4))).toBe('INVALID_PRODUCER_EPOCH')
    // Not a duplicate either: it would hide from a zombie that it is one.
    expect(log.send(batch(0, 4))).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('are not asked of a coordinator, but its epoch is', () => {
    const log = new Log()
    const ofCoordinator = { isTransactional: true, producerEpoch: 3 }
    expect(log.send(batch(-1, 2, ofCoordinator))).toBe('appended')
    expect(log.send(batch(-1, 2, { ...ofCoordinator, producerEpoch: 2 }))).toBe(
      'INVALID_PRODUCER_EPOCH',
    )
  })
})

describe('transactions of a producer', () => {
  const transactional = { isTransactional: true }

  it('admit nothing outside of them while they are open', () => {
    const log = new Log()
    log.send(batch(0, 1, transactional))
    expect(log.send(batch(1))).toBe('INVALID_TXN_STATE')
    expect(log.mark(0, 0)).toBe('ended 0')
    expect(log.send(batch(1))).toBe('appended')
  })

  it('end with a marker of the same epoch in the first version', () => {
    const log = new Log()
    log.send(batch(0, 1, transactional))
    expect(log.mark(0, 0)).toBe('ended 0')
    expect(log.send(batch(1, 1, transactional))).toBe('appended')
    expect(log.mark(0, 0)).toBe('ended 2')
  })

  it('end with a marker of a higher epoch in the second, which starts sequences again', () => {
    const log = new Log()
    log.send(batch(0, 1, transactional))
    expect(log.mark(0, 2)).toBe('INVALID_PRODUCER_EPOCH')
    expect(log.mark(1, 2)).toBe('ended 0')
    expect(log.send(batch(1, 1, { ...transactional, producerEpoch: 1 }), true)).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    )
    expect(log.send(batch(0, 1, { ...transactional, producerEpoch: 1 }), true)).toBe('appended')
  })

  it('are not ended by a late marker of an earlier one', () => {
    const log = new Log()
    log.send(batch(0, 1, transactional))
    log.mark(1, 2)
    // The next transaction has begun in the epoch of the marker that ended the last.
    log.send(batch(0, 1, { ...transactional, producerEpoch: 1 }))
    expect(log.mark(1, 2)).toBe('INVALID_PRODUCER_EPOCH')
    expect(log.producers.get(7)?.transactionStart).toBe(2)
  })

  it('take the same marker twice, and the second ends nothing', () => {
    const log = new Log()
    log.send(batch(0, 1, transactional))
    expect(log.mark(1, 2)).toBe('ended 0')
    expect(log.mark(1, 2)).toBe('ended nothing')
  })

  it('refuse markers of an earlier epoch and of a coordinator that was replaced', () => {
    const log = new Log()
    expect(log.mark(4, 0, 9)).toBe('ended nothing')
    expect(log.mark(3, 0, 9)).toBe('INVALID_PRODUCER_EPOCH')
    expect(log.mark(4, 0, 8)).toBe('TRANSACTION_COORDINATOR_FENCED')
  })

  it('leave a fence behind where nothing was written', () => {
    const log = new Log()
    log.mark(5, 2)
    expect(log.send(batch(0, 1, { ...transactional, producerEpoch: 4 }))).toBe(
      'INVALID_PRODUCER_EPOCH',
    )
  })
})

describe('expiry', () => {
  it('forgets producers that were not heard of for so long, but none with a transaction', () => {
    const log = new Log()
    log.send(batch(0))
    log.send(batch(0, 1, { producerId: 8, isTransactional: true }))
    log.nowMs = 500
    log.send(batch(0, 1, { producerId: 9 }))
    expect(log.producers.expire(1000, 1000)).toBe(1)
    expect([...log.producers.entries()].map((entry) => entry.producerId)).toEqual([8, 9])
  })

  it('goes by when a producer was heard of, not by the timestamps it sends', () => {
    const log = new Log()
    log.nowMs = 1_000_000
    log.producers.addBatch(batch(0), 0, 1, log.nowMs)
    expect(log.producers.expire(1_000_500, 1000)).toBe(0)
    expect(errorOf(log.producers.checkBatch(batch(2), false))).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  })
})
