import type { Disk, Platform } from '../../src/platform/index.ts'
import { RecordBatch, RecordBatchBuilder } from '../../src/protocol/records/index.ts'
import { isRefusal } from '../../src/broker/refusal.ts'
import { defaultLogConfig, openLogFolder } from '../../src/broker/log/index.ts'
import type { PartitionLog } from '../../src/broker/log/index.ts'
import { createSimulation } from '../../src/testing/simulation/index.ts'
import type { Outcome, Sample, Target } from './target.ts'

const identity = { topic: 'orders', topicId: 'id', partition: 0 }
const directory = '/data/logs/orders~id/0'
const segmentName = `${'0'.repeat(20)}.log`

/** What a process finds in the data folder that another one has left, changed by a bad disk. */
export async function recoveryTarget(): Promise<Target> {
  const samples: Sample[] = []
  // One after the other: only one simulation can run at a time.
  for (const file of [segmentName, 'checkpoint']) {
    const bytes = await onMachine(async (platform) => {
      await useLog(platform, writeSome)
      return content(platform.disk, file)
    })
    const read = (input: Buffer) => recover(file, input)
    samples.push({ label: `data folder with a changed ${file}`, bytes, read })
  }
  return { name: 'recovery of a log', share: 0.2, samples }
}

function onMachine<Result>(program: (platform: Platform) => Promise<Result>): Promise<Result> {
  const simulation = createSimulation({ seed: 1 })
  return simulation.runProcess('broker', 'process', program, { withinMs: 600_000 })
}

async function useLog<Result>(
  platform: Platform,
  use: (log: PartitionLog) => Result | Promise<Result>,
): Promise<Result> {
  const folder = await openLogFolder({ platform, path: '/data', durability: 'sync' })
  try {
    const log = folder.open(identity, () => defaultLogConfig)
    await folder.recovered()
    return await use(log)
  } finally {
    await folder.close()
  }
}

async function writeSome(log: PartitionLog): Promise<void> {
  for (let n = 0; n < 6; n++) {
    const builder = new RecordBatchBuilder()
    builder.append({ key: null, value: Buffer.from(`value ${n}`), timestamp: 1_767_225_600_000 })
    const producer = { producerId: n % 2, producerEpoch: 0, baseSequence: Math.floor(n / 2) }
    const result = log.append(builder.build({ ...producer, isTransactional: n % 2 === 0 }))
    if (isRefusal(result)) throw new Error(result.message)
    await result.durable
  }
}

/**
 * A log that was opened can be read to its end, or says where it is damaged: what the checkpoint
 * vouches for is not looked at before. It looks the same the next time.
 */
function recover(file: string, input: Buffer): Promise<Outcome> {
  return onMachine(async (platform) => {
    await useLog(platform, writeSome)
    put(platform.disk, file, input)
    const first = await useLog(platform, readAll)
    const second = await useLog(platform, readAll)
    if (JSON.stringify(first) !== JSON.stringify(second)) throw new Error('two starts differ')
    return first.endOffset === 6 && !first.isDamaged ? 'accepted' : 'refused'
  })
}

interface Found {
  readonly endOffset: number
  readonly hash: number
  readonly isDamaged: boolean
}

/** From each offset as much as there is, and a batch at a time: the ways to read differ. */
function readAll(log: PartitionLog): Found {
  let found: Found = { endOffset: log.logEndOffset, hash: 0, isDamaged: false }
  for (const bytesMax of [1, 1000]) {
    for (let offset = log.logStartOffset; offset < log.highWatermark; offset++) {
      found = readToEnd(log, offset, bytesMax, found)
    }
  }
  return found
}

function readToEnd(log: PartitionLog, from: number, bytesMax: number, before: Found): Found {
  let { hash } = before
  for (let offset = from; offset < log.highWatermark;) {
    const read = log.read({ offset, isolation: 'uncommitted', bytesMax, atLeastOneBatch: true })
    if (isRefusal(read)) {
      if (read.error === 'CORRUPT_MESSAGE') return { ...before, hash, isDamaged: true }
      throw new Error(`${read.error}: ${read.message}`)
    }
    if (read.bytes === 0) throw new Error(`nothing at offset ${offset} below the high watermark`)
    const [first = Buffer.alloc(0)] = read.chunks
    // A reader finds out by itself what a wrong CRC tells; what was passed over it cannot.
    if (RecordBatch.at(first).baseOffset > offset) throw new Error(`offset ${offset} was left out`)
    for (const chunk of read.chunks) for (const byte of chunk) hash = (hash * 31 + byte) | 0
    offset = read.nextOffset
  }
  return { ...before, hash }
}

function content(disk: Disk, name: string): Buffer {
  const file = disk.open(`${directory}/${name}`, 'existing')
  const bytes = Buffer.alloc(file.size())
  file.read(bytes, 0)
  file.close()
  return bytes
}

function put(disk: Disk, name: string, bytes: Buffer): void {
  const file = disk.open(`${directory}/${name}`, 'create')
  file.truncate(0)
  file.write([bytes], 0)
  file.close()
}
