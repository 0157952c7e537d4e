import { readFileSync } from 'node:fs'
import { codecs, fuzzDecompress } from '../../src/protocol/compression/fixture/fuzz.ts'
import { compress, prepareCompression } from '../../src/protocol/compression/index.ts'
import { crc32c } from '../../src/protocol/records/index.ts'
import { fuzzAppend, fuzzRead } from '../../src/protocol/records/fixture/fuzz.ts'
import { goldenBatches } from '../../src/protocol/records/golden/golden-batches.ts'
import type { Target } from './target.ts'

const outputBytesMax = 1 << 20
const headerBytes = 61

function batches(): Buffer[] {
  const lines = readFileSync(new URL('../golden/batches.jsonl', import.meta.url), 'utf8')
  const recorded = lines
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { content: string }).content)
  const all = [...Object.values(goldenBatches), ...recorded]
  return all.map((text) => Buffer.from(text, 'base64'))
}

/** Record batches as a consumer reads them, whatever the CRC says. */
export function readBatchTarget(): Target {
  const read = (input: Buffer) => (fuzzRead(input) > 0 ? 'accepted' : 'refused')
  const samples = batches().map((bytes) => ({ label: 'batch to read', bytes, read }))
  return { name: 'record batches, read', share: 8, samples }
}

/** Record batches as a broker appends and compacts them, with length and CRC made to fit. */
export function appendBatchTarget(): Target {
  const read = (input: Buffer) => (fuzzAppend(withFittingHead(input)) ? 'accepted' : 'refused')
  const samples = batches().map((bytes) => ({ label: 'batch to append', bytes, read }))
  return { name: 'record batches, appended', share: 6, samples }
}

function withFittingHead(input: Buffer): Buffer {
  const batch = Buffer.from(input)
  if (batch.length <= headerBytes) return batch
  batch.fill(0, 0, 8)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

/** Compressed bytes of every codec. */
export async function compressionTargets(): Promise<Target[]> {
  await prepareCompression('zstd')
  const shapes = [
    Buffer.from('a kafka record, '.repeat(200)),
    Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7919) % 251)),
    Buffer.alloc(100_000, 'x'),
    Buffer.alloc(0),
  ]
  return codecs.map((codec) => ({
    name: codec,
    share: 3,
    samples: shapes.map((shape, index) => ({
      label: `${codec} of shape ${index}`,
      bytes: compress(codec, shape),
      read: (input) =>
        fuzzDecompress(codec, input, outputBytesMax) === undefined ? 'refused' : 'accepted',
    })),
  }))
}
