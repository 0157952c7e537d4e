import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WireClient } from '../../src/testing/index.ts'
import { batchOf, connect, createTopic, produce } from './client.ts'
import { startBrokerProcess } from './process.ts'

interface Load {
  readonly producers: number
  /** Requests that a producer sends before it waits for an answer; 5 is the default of most clients. */
  readonly inFlight: number
}

interface Setting extends Load {
  /** Whether each write is on stable storage before it is answered. */
  readonly durable: boolean
}

const warmUpMs = 1000
const measuredMs = 3000
const partitions = 12
const batch = { records: 10, valueBytes: 100 }

/** Requests a second that a broker of ours answers. */
export async function produceRate({ durable, ...load }: Setting): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-benchmark-'))
  try {
    await using broker = await startBrokerProcess(...(durable ? ['--data', folder] : []))
    return await requestRate(`127.0.0.1:${broker.port}`, load)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Requests a second that the broker at an address answers. */
export async function requestRate(address: string, load: Load): Promise<number> {
  const port = Number(address.split(':').at(-1))
  await using first = await connect(port)
  await createTopic(first, partitions)
  const bytes = batchOf(batch.records, batch.valueBytes)
  for (let partition = 0; partition < partitions; partition++) {
    await untilWritten(first, partition, bytes)
  }
  const started = performance.now()
  let measured = 0
  const send = async (client: WireClient, partition: number): Promise<void> => {
    for (;;) {
      const elapsedMs = performance.now() - started
      if (elapsedMs > warmUpMs + measuredMs) return
      await produce(client, partition, bytes)
      if (elapsedMs > warmUpMs) measured += 1
    }
  }
  await Promise.all(
    Array.from({ length: load.producers }, async (_, index) => {
      await using client = await connect(port)
      const senders = Array.from({ length: load.inFlight }, () => send(client, index % partitions))
      await Promise.all(senders)
    }),
  )
  return measured / (measuredMs / 1000)
}

/** Kafka leads the partitions of a topic some time after it was made. */
async function untilWritten(client: WireClient, partition: number, bytes: Buffer): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await produce(client, partition, bytes)
      return
    } catch (error) {
      if (attempt === 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
