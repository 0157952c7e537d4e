import { inflateRawSync } from 'node:zlib'

const endSignature = 0x0605_4b50
const endBytes = 22

/** Reads the entries of a zip archive whose names match; enough for the jars that Apache publishes. */
export function* zipEntries(
  archive: Buffer,
  name: RegExp,
): Generator<{ readonly name: string; readonly content: Buffer }> {
  let end = archive.length - endBytes
  while (archive.readUInt32LE(end) !== endSignature) end -= 1
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  for (let entry = 0; entry < count; entry++) {
    const compressed = archive.readUInt16LE(at + 10) !== 0
    const size = archive.readUInt32LE(at + 20)
    const nameBytes = archive.readUInt16LE(at + 28)
    const extraBytes = archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32)
    const local = archive.readUInt32LE(at + 42)
    const entryName = archive.toString('utf8', at + 46, at + 46 + nameBytes)
    at += 46 + nameBytes + extraBytes
    if (!name.test(entryName)) continue
    const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
    const bytes = archive.subarray(start, start + size)
    yield { name: entryName, content: compressed ? inflateRawSync(bytes) : bytes }
  }
}
