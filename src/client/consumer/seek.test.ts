import { describe, expect, it } from 'vitest'
import { fetchAnswer, fetchRequest, first, read, startWorld, valuesOf } from './fixture/world.ts'
import { isMillraceError } from '../../errors.ts'
import { kafkaError } from '../../protocol/index.ts'

const values = Array.from({ length: 10 }, (_, index) => `value ${index}`)

describe('a seek', () => {
  it('goes to an offset, the beginning, the end, a time or an age', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer()
    consumer.assign([first])
    consumer.seek(first, 7)
    expect(consumer.position(first)).toBe(7)
    expect(await read(consumer, 3)).toEqual(values.slice(7))
    consumer.seek(first, 'beginning')
    expect(await read(consumer, 2)).toEqual(values.slice(0, 2))
    consumer.seek(first, { timestamp: 1_000 })
    expect(await read(consumer, 1)).toEqual(['value 0'])
    // No record is so young: the end is the next best.
    for (const target of ['end', { timestamp: 5_000 }, { agoMs: 1_000 }] as const) {
      consumer.seek(first, target)
      const next = read(consumer, 1)
      await expect.poll(() => consumer.position(first)).toBeGreaterThanOrEqual(10)
      await world.write(0, [`after ${JSON.stringify(target)}`])
      expect(await next).toEqual([`after ${JSON.stringify(target)}`])
    }
    consumer.seek(first, { agoMs: Number.MAX_SAFE_INTEGER })
    expect(await read(consumer, 1)).toEqual(['value 0'])
  })

  it('lets nothing out that was fetched before, buffered or still on its way', async () => {
    await using world = await startWorld()
    await world.write(0, ...values.map((value) => [value]))
    const consumer = world.consumer()
    consumer.assign([first])
    expect(await read(consumer, 1)).toEqual(['value 0'])
    consumer.seek(first, 8)
    expect(await read(consumer, 1)).toEqual(['value 8'])
    // The answer to the fetch at offset 5 comes after the next seek.
    let answered = () => undefined as void
    const held = new Promise<void>((resolve) => (answered = resolve))
    let isHeld = false
    using _ = world.kafka.intercept('Fetch', async (request, proceed) => {
      const answer = await proceed()
      if (fetchRequest(request).topics[0]?.partitions[0]?.fetchOffset !== 5) return answer
      isHeld = true
      await held
      return answer
    })
    consumer.seek(first, 5)
    const next = read(consumer, 1)
    await expect.poll(() => isHeld).toBe(true)
    consumer.seek(first, 2)
    answered()
    expect(await next).toEqual(['value 2'])
  })

  it('wins over an offset that is being looked up', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    let looksUp = false
    let answered = () => undefined as void
    const held = new Promise<void>((resolve) => (answered = resolve))
    using _ = world.kafka.intercept('ListOffsets', async (_request, proceed) => {
      looksUp = true
      await held
      return proceed()
    })
    const consumer = world.consumer()
    consumer.assign([first])
    const next = read(consumer, 1)
    await expect.poll(() => looksUp).toBe(true)
    consumer.seek(first, 6)
    answered()
    expect(await next).toEqual(['value 6'])
    expect(consumer.position(first)).toBe(7)
  })

  it('is for partitions that are assigned', async () => {
    await using world = await startWorld()
    const consumer = world.consumer()
    expect(() => consumer.seek(first, 1)).toThrow(/orders-0 is not assigned/)
  })
})

describe('an offset that is not there', () => {
  it.each([
    ['earliest', 'value 0'],
    [{ agoMs: Number.MAX_SAFE_INTEGER }, 'value 0'],
  ] as const)('goes on as offsetReset %j says', async (offsetReset, expected) => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer({ offsetReset })
    consumer.assign([first])
    consumer.seek(first, 1_000)
    expect(await read(consumer, 1)).toEqual([expected])
  })

  it('goes on at the end with latest', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer({ offsetReset: 'latest' })
    consumer.assign([first])
    consumer.seek(first, 1_000)
    const next = read(consumer, 1)
    await expect.poll(() => consumer.position(first)).toBe(10)
    await world.write(0, ['new'])
    expect(await next).toEqual(['new'])
  })

  it('is an error with none, again and again until it is sought', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer({ offsetReset: 'none' })
    consumer.assign([first])
    consumer.seek(first, 1_000)
    const poll = () => consumer.poll().catch((error: unknown) => error)
    const error = await poll()
    expect(isMillraceError(error, 'MILLRACE_CLIENT_OFFSET_LOST')).toBe(true)
    expect(error).toMatchObject({ topic: 'orders', partition: 0, offset: 1_000 })
    expect(String(error)).toMatch(/orders-0: offset 1000 is out of range; it has 0 to 9/)
    expect(await poll()).toBe(error)
    consumer.seek(first, 9)
    expect(await read(consumer, 1)).toEqual(['value 9'])
  })

  it('does not take what was fetched before it', async () => {
    await using world = await startWorld()
    await world.write(0, values)
    const consumer = world.consumer({ offsetReset: 'none' })
    consumer.assign([first])
    consumer.seek(first, 0)
    let outOfRange = 0
    let asked: number | undefined
    using _ = world.kafka.intercept('Fetch', async (request, proceed) => {
      // In a session a partition is named only when something has changed.
      asked = fetchRequest(request).topics[0]?.partitions[0]?.fetchOffset ?? asked
      if (asked !== 10) return proceed()
      outOfRange += 1
      await proceed()
      return fetchAnswer(request, world, { errorCode: kafkaError.OFFSET_OUT_OF_RANGE })
    })
    expect(valuesOf(await consumer.poll({ maxRecords: 2 }))).toEqual(values.slice(0, 2))
    await world.write(0, ['new'])
    await expect.poll(() => outOfRange).toBeGreaterThan(0)
    // The answer is here by the time that others have come that were asked for after it.
    for (let round = 0; round < 3; round++) await consumer.endOffsets([first])
    expect(await read(consumer, 8)).toEqual(values.slice(2))
    await expect(consumer.poll()).rejects.toThrow(/offset 10 is out of range/)
  })
})
