import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FileContent } from './file-content.ts'
import { SeededRandom } from './seeded-random.ts'

type Change = { at: number; bytes: Uint8Array } | { size: number }

const change: fc.Arbitrary<Change> = fc.oneof(
  {
    arbitrary: fc.record({
      at: fc.nat({ max: 20 }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 12 }),
    }),
    weight: 3,
  },
  { arbitrary: fc.record({ size: fc.nat({ max: 25 }) }), weight: 1 },
)

function applied(content: Buffer, change: Change): Buffer {
  if ('size' in change) return resized(content, change.size)
  const end = change.at + change.bytes.length
  const result = resized(content, Math.max(content.length, end))
  result.set(change.bytes, change.at)
  return result
}

function resized(content: Buffer, size: number): Buffer {
  const result = Buffer.alloc(size)
  content.copy(result)
  return result
}

/** All that a power failure may leave: some of the changes, the last of them perhaps torn. */
function possibilities(base: Buffer, changes: readonly Change[]): Set<string> {
  const found = new Set<string>()
  for (let chosen = 0; chosen < 2 ** changes.length; chosen += 1) {
    const kept = changes.filter((_change, index) => (chosen & (1 << index)) !== 0)
    const last = kept.at(-1)
    const before = kept.slice(0, -1).reduce(applied, base)
    found.add(kept.reduce(applied, base).toString('hex'))
    if (last === undefined || 'size' in last) continue
    for (let cut = 0; cut < last.bytes.length; cut += 1) {
      const torn = { at: last.at, bytes: last.bytes.subarray(0, cut) }
      found.add((cut === 0 ? before : applied(before, torn)).toString('hex'))
    }
  }
  return found
}

function perform(content: FileContent, changes: readonly Change[]): void {
  for (const change of changes) {
    if ('size' in change) content.truncate(change.size)
    else content.write(change.bytes, change.at)
  }
}

const changes = fc.array(change, { maxLength: 5 })

describe('the content of a simulated file', () => {
  it('reads as it was written, until the power fails', () => {
    fc.assert(
      fc.property(changes, (steps) => {
        const content = new FileContent()
        perform(content, steps)
        const model = steps.reduce(applied, Buffer.alloc(0))
        expect(content.snapshot()).toEqual(model)
        expect(content.size).toBe(model.length)
        const target = Buffer.alloc(model.length + 3)
        expect(content.read(target, 1)).toBe(Math.max(0, model.length - 1))
        expect(target.subarray(0, Math.max(0, model.length - 1))).toEqual(model.subarray(1))
      }),
      { seed: 1, numRuns: 300 },
    )
  })

  it('keeps what was synced, and of the rest nothing that cannot be', () => {
    const seen = { all: 0, nothing: 0, part: 0 }
    fc.assert(
      fc.property(changes, changes, changes, fc.nat(), (synced, racing, later, seed) => {
        const content = new FileContent()
        perform(content, synced)
        const mark = content.mark()
        perform(content, racing)
        content.synced(mark)
        perform(content, later)
        content.losePower(new SeededRandom(seed))
        const base = synced.reduce(applied, Buffer.alloc(0))
        const unsynced = [...racing, ...later].slice(0, 8)
        if (racing.length + later.length > 8) return
        const left = content.snapshot()
        expect(possibilities(base, unsynced)).toContain(left.toString('hex'))
        const everything = unsynced.reduce(applied, base)
        if (left.equals(everything)) seen.all += 1
        else if (left.equals(base)) seen.nothing += 1
        else seen.part += 1
        // What is left now is on the disk: a second failure takes nothing away.
        content.losePower(new SeededRandom(seed + 1))
        expect(content.snapshot()).toEqual(left)
      }),
      { seed: 1, numRuns: 600 },
    )
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20)
  })

  it('may lose what was written while a sync was under way', () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 40; seed += 1) {
      const content = new FileContent()
      content.write(Buffer.from('before'), 0)
      const mark = content.mark()
      content.write(Buffer.from('!'), 6)
      content.synced(mark)
      content.losePower(new SeededRandom(seed))
      outcomes.add(content.snapshot().toString())
    }
    expect(outcomes).toEqual(new Set(['before', 'before!']))
  })

  it('does not keep changes for ever: what is old reaches the disk by itself', () => {
    const content = new FileContent()
    for (let count = 0; count < 3_000; count += 1) content.write(Buffer.from([count]), count)
    content.losePower(new SeededRandom(0))
    const left = content.snapshot()
    for (let at = 0; at < 3_000 - 1_024; at += 1) expect(left[at]).toBe(at % 256)
  })

  it('may lose what a failed sync should have written, also after a later sync', () => {
    const outcomes = new Set<string>()
    for (let seed = 0; seed < 40; seed += 1) {
      const content = new FileContent()
      content.write(Buffer.from('aaaa'), 0)
      content.lost(content.mark())
      content.write(Buffer.from('bb'), 1)
      content.synced(content.mark())
      expect(content.snapshot().toString()).toBe('abba')
      content.losePower(new SeededRandom(seed))
      outcomes.add(content.snapshot().toString('latin1'))
    }
    expect(outcomes).toContain('abba')
    expect(outcomes).toContain('\0bb')
  })
})
