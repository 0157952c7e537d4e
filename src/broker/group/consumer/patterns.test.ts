import { describe, expect, it } from 'vitest'
import { BenchConsumer, converge } from '../fixture/bench-consumer.ts'
import { GroupBench } from '../fixture/group-bench.ts'

function consumer(bench: GroupBench, memberId: string, pattern: string): BenchConsumer {
  const wishes = { subscribedTopicNames: null, subscribedTopicRegex: pattern }
  return new BenchConsumer(bench, memberId, wishes)
}

describe('a subscription by pattern', () => {
  it('gets the topics that it matches, with the second heartbeat', async () => {
    const bench = new GroupBench({ 'a.1': 2, 'a.2': 1, b: 1 })
    const one = consumer(bench, 'm1', 'a\\..*')
    await one.beat()
    expect(one.owned.size).toBe(0)
    await one.beat()
    expect([one.partitionsOf('a.1'), one.partitionsOf('a.2')]).toEqual([[0, 1], [0]])
    expect(one.epoch).toBe(2)
    expect(await bench.coordinator.describeConsumerGroup('g')).toMatchObject({
      members: [{ subscribedTopicRegex: 'a\\..*', subscribedTopicNames: [] }],
    })
  })

  it('is refused when it is none', async () => {
    const bench = new GroupBench({ a: 1 })
    expect((await consumer(bench, 'm1', 'a(').beat()).error).toBe('INVALID_REGULAR_EXPRESSION')
    expect((await consumer(bench, 'm1', '(a)\\1').beat()).error).toBe('INVALID_REGULAR_EXPRESSION')
  })

  it('gets topics that are made later, at most every ten seconds', async () => {
    const bench = new GroupBench({ 'a.1': 1 })
    const one = consumer(bench, 'm1', 'a.*')
    await converge([one])
    bench.createTopic('a.2', 1)
    bench.createTopic('b', 1)
    await bench.advance(10_000)
    await converge([one])
    expect(one.owned.size).toBe(1)
    await bench.advance(1)
    await converge([one])
    expect(one.owned.size).toBe(2)
    await bench.deleteTopic('a.1')
    await bench.advance(10_001)
    await converge([one])
    expect(one.owned.size).toBe(1)
  })

  it('gets topics that were made while the broker was down', async () => {
    const bench = new GroupBench({ 'a.1': 1 })
    const one = consumer(bench, 'm1', 'a.*')
    await converge([one])
    bench.createTopic('a.2', 1)
    bench.restart()
    await bench.advance(10_001)
    await converge([one])
    expect(one.owned.size).toBe(2)
  })

  it('is shared by members, and forgotten with the last of them', async () => {
    const bench = new GroupBench({ a: 2, b: 2 })
    const [one, two] = [consumer(bench, 'm1', 'a'), consumer(bench, 'm2', 'a')]
    await converge([one])
    await converge([one, two])
    expect([one.owned.size, two.owned.size]).toEqual([1, 1])
    await one.leave()
    await converge([two])
    expect(two.owned.size).toBe(2)
    const patterns = () =>
      bench.log.records.filter(({ key }) => key.readInt16BE() === 16).map(({ value }) => value)
    expect(patterns().at(-1)).not.toBeNull()
    await two.leave()
    expect(patterns().at(-1)).toBeNull()
  })

  it('can be replaced by another, by names, and by nothing', async () => {
    const bench = new GroupBench({ a: 1, b: 2, c: 3 })
    const one = consumer(bench, 'm1', 'a')
    await converge([one])
    const subscribe = async (subscribedTopicRegex: string, names: string[] | null = null) => {
      one.take(
        await bench.consumerHeartbeat({
          ...one.request(),
          subscribedTopicRegex,
          subscribedTopicNames: names,
        }),
      )
      await bench.advance(10_001)
      await converge([one])
    }
    await subscribe('b')
    expect(one.owned.size).toBe(2)
    await subscribe('', ['c'])
    expect(one.owned.size).toBe(3)
    await subscribe('a', ['c'])
    expect(one.owned.size).toBe(4)
    await subscribe('')
    expect(one.owned.size).toBe(3)
    await subscribe('', [])
    expect(one.owned.size).toBe(0)
  })
})
