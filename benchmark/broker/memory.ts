import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { batchOf, connect, createTopic, produce } from './client.ts'
import { residentBytes, startBrokerProcess } from './process.ts'

const megabyte = 1024 * 1024

/** Resident memory of a broker that has just started and answered one client. */
export async function idleMemoryMb(): Promise<number> {
  await using broker = await startBrokerProcess()
  await using client = await connect(broker.port)
  await createTopic(client, 1)
  return residentBytes(broker.pid) / megabyte
}

interface Load {
  readonly records: number
  readonly recordBytes: number
  readonly batchRecords: number
}

/** What the records add to the broker's memory, by the bytes that they have in the log. */
export async function memoryAfterRecords(load: Load): Promise<number> {
  const { added, logged } = await residentAfter(load)
  return added / logged
}

/** What a broker with a data folder has in memory when the records are in its log. */
export async function memoryWithDataMb(load: Load): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-benchmark-'))
  try {
    return (await residentAfter(load, '--data', folder)).resident / megabyte
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Resident {
  readonly resident: number
  readonly added: number
  readonly logged: number
}

async function residentAfter(load: Load, ...options: string[]): Promise<Resident> {
  await using broker = await startBrokerProcess(...options)
  await using client = await connect(broker.port)
  await createTopic(client, 1)
  const before = residentBytes(broker.pid)
  const batch = batchOf(load.batchRecords, load.recordBytes)
  const batches = load.records / load.batchRecords
  const inFlight = 32
  for (let sent = 0; sent < batches; sent += inFlight) {
    const burst = Math.min(inFlight, batches - sent)
    await Promise.all(Array.from({ length: burst }, () => produce(client, 0, batch)))
  }
  const resident = residentBytes(broker.pid)
  return { resident, added: resident - before, logged: batches * batch.length }
}
