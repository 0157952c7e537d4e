import { describe, expect, it } from 'vitest'
import { isMillraceError } from '../errors.ts'
import type { Log } from '../observe/index.ts'
import { DiskError, isDiskError } from '../platform/index.ts'
import type { Disk, Platform } from '../platform/index.ts'
import { findCoordinatorApi, kafkaError, listOffsetsApi } from '../protocol/index.ts'
import type { ResponseOf } from '../protocol/index.ts'
import { createSimulation } from '../testing/simulation/index.ts'
import type { DiskConditions, SimulatedDisk } from '../testing/simulation/index.ts'
import { WireClient } from '../testing/wire-client.ts'
import { offsetsTopic, transactionsTopic } from './cluster/topic-name.ts'
import { startBroker } from './embedded-broker.ts'
import type { Appended } from './log/index.ts'
import type { EmbeddedBroker } from './embedded-broker.ts'

type FoundCoordinators = ResponseOf<typeof findCoordinatorApi>

const onePartition = {
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.num.partitions': '1',
}

/** Runs a program on a machine whose disk can be changed meanwhile. */
function onMachine(
  program: (platform: Platform, disk: SimulatedDisk) => Promise<void>,
): Promise<void> {
  const simulation = createSimulation({ seed: 1 })
  const { disk } = simulation.host('broker')
  return simulation.runProcess('broker', 'broker', (platform) => program(platform, disk), {
    withinMs: 60_000,
  })
}

interface Said {
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

function start(platform: Platform, said: Said[] = []): Promise<EmbeddedBroker> {
  const log: Log = (_level, message, fields = {}) => said.push({ message, fields })
  const options = { platform, host: 'broker', insecure: true, data: '/data', log }
  return startBroker({ ...options, properties: onePartition })
}

async function createTopic({ cluster }: EmbeddedBroker, name: string): Promise<void> {
  const configs = new Map<string, string>()
  await cluster.createTopic({ name, partitions: 1, replicationFactor: 1, configs })
}

async function failedStart(platform: Platform): Promise<unknown> {
  return start(platform).then(
    () => undefined,
    (error: unknown) => error,
  )
}

const noRoom: Partial<DiskConditions> = { capacityBytes: 1 }
const room: Partial<DiskConditions> = { capacityBytes: Infinity, isReadOnly: false }

describe('a start that fails', () => {
  it.each([
    ['full', noRoom],
    ['read-only', { isReadOnly: true }],
  ] as const)(
    'is a disk error when the disk is %s, and leaves nothing open',
    (reason, conditions) =>
      onMachine(async (platform, disk) => {
        await (await start(platform)).close()
        disk.change(conditions)
        const error = await failedStart(platform)
        expect(isDiskError(error, reason)).toBe(true)
        disk.change(room)
        await (await start(platform)).close()
      }),
  )

  it.each([['group', offsetsTopic] as const, ['transaction', transactionsTopic] as const])(
    'says where the state of the %s coordinator is damaged, and leaves nothing open',
    (kind, topic) =>
      onMachine(async (platform) => {
        const broker = await start(platform)
        await broker.cluster.prepareCoordinators(kind)
        const log = broker.cluster.topic(topic)?.partitions[0]?.log
        log?.appendRecords([{ key: Buffer.from('key'), value: Buffer.from('value') }])
        await broker.close()
        const path = segmentPath(platform.disk, topic)
        const original = changeByte(platform.disk, path, 70)
        const error = await failedStart(platform)
        expect(isMillraceError(error, 'MILLRACE_BROKER_DATA_INVALID')).toBe(true)
        expect((error as Error).message).toContain(path)
        original()
        await (await start(platform)).close()
      }),
  )
})

describe('a change of topics while the disk is full', () => {
  it('is refused, and has changed nothing', () =>
    onMachine(async (platform, disk) => {
      const broker = await start(platform)
      const { cluster } = broker
      await createTopic(broker, 'orders')
      disk.change(noRoom)
      const refused = { error: 'KAFKA_STORAGE_ERROR' }
      const configs = new Map<string, string>()
      const other = { name: 'other', partitions: 1, replicationFactor: 1, configs }
      expect(await cluster.createTopic(other)).toMatchObject(refused)
      expect(await cluster.deleteTopic('orders')).toMatchObject(refused)
      expect(await cluster.addPartitions('orders', 2, undefined, false)).toMatchObject(refused)
      expect([...cluster.topics()].map(({ name }) => name)).toEqual(['orders'])
      disk.change(room)
      await createTopic(broker, 'other')
      expect(await cluster.addPartitions('orders', 2, undefined, false)).toBeUndefined()
      expect(cluster.topic('orders')?.partitions).toHaveLength(2)
      expect(await cluster.deleteTopic('orders')).toBeUndefined()
      await broker.close()
      await using again = await start(platform)
      expect([...again.cluster.topics()].map(({ name }) => name)).toEqual(['other'])
    }))
})

describe('what only an error code can tell', () => {
  it('is said of a coordinator while the disk is full, and one is found when there is room', () =>
    onMachine(async (platform, disk) => {
      await using broker = await start(platform)
      await using client = await connect(platform, broker)
      disk.change(noRoom)
      const [inGroup, ofTransaction] = [0, 1].map(
        (keyType) => () =>
          client.request(findCoordinatorApi, 6, { keyType, coordinatorKeys: ['a', 'b'] }),
      ) as [() => Promise<FoundCoordinators>, () => Promise<FoundCoordinators>]
      const why = expect.stringMatching(/its topic cannot be made: .*no space left/) as string
      for (const find of [inGroup, ofTransaction]) {
        const { coordinators } = await find()
        expect(coordinators).toMatchObject([
          { key: 'a', errorCode: kafkaError.COORDINATOR_NOT_AVAILABLE, errorMessage: why },
          { key: 'b', errorCode: kafkaError.COORDINATOR_NOT_AVAILABLE, errorMessage: why },
        ])
      }
      disk.change(room)
      for (const find of [inGroup, ofTransaction]) {
        expect((await find()).coordinators).toMatchObject([{ errorCode: 0 }, { errorCode: 0 }])
      }
    }))

  it('is said of an offset by time where the log is damaged', () =>
    onMachine(async (platform) => {
      await using broker = await start(platform)
      await createTopic(broker, 'orders')
      const log = broker.cluster.partition('orders', 0)?.log
      const written = log?.appendRecords([{ key: Buffer.from('key'), value: null }])
      await (written as Appended).durable
      await using client = await connect(platform, broker)
      const offsetAt = async (timestamp: number) => {
        const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }]
        const request = {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name: 'orders', partitions }],
        }
        return (await client.request(listOffsetsApi, 7, request)).topics[0]?.partitions[0]
      }
      const original = changeByte(platform.disk, segmentPath(platform.disk, 'orders'), 8)
      const damaged = { errorCode: kafkaError.CORRUPT_MESSAGE, offset: -1 }
      expect(await offsetAt(0)).toMatchObject(damaged)
      expect(await offsetAt(-3)).toMatchObject(damaged)
      original()
      expect(await offsetAt(0)).toMatchObject({ errorCode: 0, offset: 0 })
    }))
})

describe('housekeeping', () => {
  it('looks after the other logs when one is damaged, and says which', () =>
    onMachine(async (platform) => {
      const configs = new Map([['cleanup.policy', 'compact']])
      const state = { key: Buffer.from('key'), value: Buffer.from('value') }
      {
        await using broker = await start(platform)
        for (const name of ['bad', 'good']) {
          await broker.cluster.createTopic({ name, partitions: 1, replicationFactor: 1, configs })
          const log = broker.cluster.partition(name, 0)?.log
          for (let n = 0; n < 3; n++) log?.appendRecords([state])
        }
      }
      const { disk } = platform
      disk.remove(segmentPath(disk, 'bad').replace(/log$/, 'index'))
      changeByte(disk, segmentPath(disk, 'bad'), 8)
      await using broker = await start(platform)
      await expect(broker.housekeeping.compact(true)).rejects.toThrow('bad-0: /data/logs/bad~')
      const batches = [...(broker.cluster.partition('good', 0)?.log.batches() ?? [])]
      expect(batches.map(({ baseOffset }) => baseOffset)).toEqual([2])
    }))
})

describe('a topic whose files cannot be removed', () => {
  it('is gone, says so, and leaves nothing behind after the next start', () =>
    onMachine(async (platform, disk) => {
      const said: Said[] = []
      const broker = await start(stubborn(platform), said)
      await createTopic(broker, 'orders')
      broker.cluster
        .topic('orders')
        ?.partitions[0]?.log.appendRecords([{ key: Buffer.from('key'), value: null }])
      expect(await broker.cluster.deleteTopic('orders')).toBeUndefined()
      await broker.close()
      expect(said).toMatchObject([
        {
          message: 'files of a deleted topic stay until the next start',
          fields: {
            topic: 'orders',
            partition: 0,
            reason: expect.stringContaining('/data/logs/orders') as string,
          },
        },
      ])
      const left = () => [...disk.files().keys()].filter((path) => path.includes('orders'))
      expect(left()).not.toEqual([])
      await (await start(platform)).close()
      expect(left()).toEqual([])
    }))
})

function connect(platform: Platform, { bootstrap }: EmbeddedBroker): Promise<WireClient> {
  const [host = '', port] = bootstrap.split(':')
  return WireClient.connect({ platform, host, port: Number(port) })
}

/** The one segment of the one partition of a topic. */
function segmentPath(disk: Disk, topic: string): string {
  const directory = disk.list('/data/logs').find((name) => name.startsWith(topic))
  return `/data/logs/${directory}/0/${'0'.repeat(20)}.log`
}

/** Answers a function that takes the change back. */
function changeByte(disk: Disk, path: string, position: number): () => void {
  const byte = Buffer.alloc(1)
  const put = (value: number): void => {
    const file = disk.open(path, 'existing')
    file.read(byte, position)
    file.write([Buffer.from([value])], position)
    file.close()
  }
  put(0xff)
  const [before = 0] = byte
  return () => put(before)
}

/** A platform whose disk does not let go of segments. */
function stubborn(platform: Platform): Platform {
  const { disk } = platform
  const remove = (path: string): void => {
    if (path.endsWith('.log')) throw new DiskError('denied', path, `remove ${path}: not permitted`)
    disk.remove(path)
  }
  return { ...platform, disk: { ...disk, remove } }
}

it('keeps of topics that are gone no more than a segment or two', () =>
  onMachine(async (platform) => {
    await using broker = await start(platform)
    const { cluster, housekeeping } = broker
    const throttled = Array.from({ length: 5_000 }, (_, index) => `${index}:1`).join()
    const configs = new Map([['follower.replication.throttled.replicas', throttled]])
    for (let turn = 1; turn <= 100; turn++) {
      const name = `topic-${turn}`
      await cluster.createTopic({ name, partitions: 1, replicationFactor: 1, configs })
      await cluster.deleteTopic(name)
    }
    const folder = '/data/logs/__cluster~cluster/0'
    const segmentBytes = () =>
      platform.disk
        .list(folder)
        .map((name) => platform.disk.status(`${folder}/${name}`)?.size ?? 0)
        .reduce((sum, size) => sum + size, 0)
    expect(segmentBytes()).toBeGreaterThan(3_000_000)
    await housekeeping.compact()
    expect(segmentBytes()).toBeLessThan(2_000_000)
  }))
