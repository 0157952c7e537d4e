/** Promise: a transaction is written in a few lines, commits or aborts as a whole, and says what went wrong. */
import { describe, expect, it } from 'vitest'
import { closeConnection } from '../../../testing/index.ts'
import { befall } from './fixture/faults.ts'
import { topic, TransactionWorld } from './fixture/transaction-world.ts'
import { TransactionalProducer } from './transactional-producer.ts'
import type { TransactionalProducerOptions } from './transactional-producer-options.ts'

const group = { groupId: 'g', generation: -1, memberId: '', groupInstanceId: undefined }
const offset = { topic, partition: 0, offset: 7, leaderEpoch: -1, metadata: '' }
const records = (count: number, name = 'r') =>
  Array.from({ length: count }, (_, index) => ({
    topic,
    partition: index % 3,
    value: `${name}${index}`,
  }))

describe.each([1, 2] as const)('a producer of transactions of version %i', (version) => {
  const start = async (options: Partial<TransactionalProducerOptions> = {}) => {
    const world = await TransactionWorld.start(version)
    const open = () =>
      new TransactionalProducer(world.cluster, { transactionalId: 'billing', ...options })
    return { world, open }
  }

  it('commits records of many calls and offsets', async () => {
    const { world, open } = await start()
    await using _ = world
    await using producer = open()
    for (const round of [1, 2, 3]) {
      const transaction = await producer.begin()
      const sends = records(30, `${round}.`).map((record) => transaction.send(record))
      await transaction.sendOffsets(group, [{ ...offset, offset: round }])
      await transaction.commit()
      expect((await Promise.all(sends)).length).toBe(30)
    }
    const expected = [1, 2, 3].flatMap((round) =>
      Array.from({ length: 10 }, (_, index) => `${round}.${3 * index}`),
    )
    expect(await world.committed(0)).toEqual(expected)
    expect(await world.committedOffset('g', 0)).toBe(3)
  })

  it('aborts what was sent, and what was not', async () => {
    const { world, open } = await start()
    await using _ = world
    await using producer = open()
    const transaction = await producer.begin()
    await transaction.send(records(30, 'a'))
    const late = transaction.send(records(30, 'b'))
    late.catch(() => undefined)
    await transaction.abort()
    await producer.transaction((next) => next.send(records(3, 'c')))
    expect(await world.committed(0)).toEqual(['c0'])
  })

  it('does work in a transaction, and aborts it when the work fails', async () => {
    const { world, open } = await start()
    await using _ = world
    await using producer = open()
    const answer = await producer.transaction(async (transaction) => {
      await transaction.send(records(3))
      return 'done'
    })
    expect(answer).toBe('done')
    const failing = producer.transaction(async (transaction) => {
      await transaction.send(records(3, 'x'))
      throw new Error('no stock')
    })
    await expect(failing).rejects.toThrow('no stock')
    expect(await world.committed(0)).toEqual(['r0'])
  })

  it('refuses to commit without a record that failed, though nobody looked at it', async () => {
    const { world, open } = await start({ requestBytesMax: 2_000 })
    await using _ = world
    await using producer = open()
    const failing = producer.transaction((transaction) => {
      void transaction.send({ topic, value: 'a', partition: 0 })
      void transaction.send({ topic, value: 'x'.repeat(5_000), partition: 1 })
      return Promise.resolve()
    })
    await expect(failing).rejects.toMatchObject({ action: 'abort', mayBeCommitted: false })
    await producer.transaction((transaction) => transaction.send(records(3)))
    expect(await world.committed(0)).toEqual(['r0'])
  })

  it('asks for the outcome of a commit until it is known', async () => {
    const { world, open } = await start()
    await using _ = world
    await using producer = open()
    let lost = 0
    using __ = world.kafka.intercept('EndTxn', async (_request, proceed) => {
      const answer = await proceed()
      lost += 1
      if (lost > 9) return answer
      await world.clock.advance(25_000)
      return closeConnection
    })
    await producer.transaction((transaction) => transaction.send(records(3)))
    expect(lost).toBeGreaterThan(9)
    expect(await world.committed(0)).toEqual(['r0'])
  })

  it('aborts what is open when it is closed', async () => {
    const { world, open } = await start()
    await using _ = world
    const producer = open()
    const transaction = await producer.begin()
    await transaction.send(records(3))
    await producer.close()
    expect(await world.committed(0)).toEqual([])
    await expect(transaction.commit()).rejects.toThrow(/aborted/)
    await expect(producer.begin()).rejects.toThrow(/was closed/)
  })

  it('says that a commit may have happened when it is closed before that is known', async () => {
    const { world, open } = await start()
    await using _ = world
    const producer = open()
    using lost = befall(world.kafka, 'EndTxn', { kind: 'lost-answer' }, Infinity)
    const committing = producer.transaction((transaction) => transaction.send(records(3)))
    committing.catch(() => undefined)
    while (lost.count < 2) await world.clock.sleep(1)
    await producer.close({ timeoutMs: 1 })
    await expect(committing).rejects.toMatchObject({ action: 'close', mayBeCommitted: true })
    await expect(producer.begin()).rejects.toThrow(/was closed/)
  })

  it('does not wait for what would have to be sent again when it aborts', async () => {
    const { world, open } = await start({ deliveryTimeoutMs: 600_000 })
    await using _ = world
    await using producer = open()
    const transaction = await producer.begin()
    using lost = befall(world.kafka, 'Produce', { kind: 'lost-request' }, Infinity)
    const sent = transaction.send(records(3))
    while (lost.count < 2) await world.clock.sleep(1)
    await transaction.abort()
    await expect(sent).rejects.toMatchObject({ action: 'abort' })
    expect(await world.committed(0)).toEqual([])
  })

  it('refuses what is sent after its end', async () => {
    const { world, open } = await start()
    await using _ = world
    await using producer = open()
    const transaction = await producer.begin()
    await transaction.commit()
    const refused = { code: 'MILLRACE_CLIENT_STATE_INVALID' }
    await expect(transaction.send({ topic, value: 'late' })).rejects.toMatchObject(refused)
    await expect(transaction.abort()).rejects.toMatchObject(refused)
    const next = await producer.begin()
    await expect(transaction.sendOffsets(group, [offset])).rejects.toMatchObject(refused)
    await next.abort()
  })

  it('is fenced by its successor, whatever it was doing', async () => {
    const { world, open } = await start()
    await using _ = world
    await using zombie = open()
    await using successor = open()
    const lost = await zombie.begin()
    await lost.send(records(3, 'zombie'))
    const transaction = await successor.begin()
    await transaction.send(records(3))
    const late = zombie.transaction.bind(zombie)
    await expect(lost.commit()).rejects.toMatchObject({ action: 'close' })
    await expect(late(() => Promise.resolve())).rejects.toMatchObject({ action: 'close' })
    await transaction.commit()
    expect(await world.committed(0)).toEqual(['r0'])
  })
})

describe('options', () => {
  it.each([
    [{ transactionalId: '' }, "transactionalId ('') must be"],
    [{ transactionalId: 'a', transactionTimeoutMs: 0 }, 'transactionTimeoutMs (0) must be'],
    [{ transactionalId: 'a', callTimeoutMs: 1.5 }, 'callTimeoutMs (1.5) must be'],
    [{ transactionalId: 'a', acks: 'leader' }, 'acks cannot be chosen'],
    [{ transactionalId: 'a', idempotent: false }, 'idempotent cannot be chosen'],
  ])('%j: %s', async (options, message) => {
    await using world = await TransactionWorld.start(2)
    expect(() => new TransactionalProducer(world.cluster, options as never)).toThrow(message)
  })
})
