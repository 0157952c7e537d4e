import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  highestOffset,
  metadataCharactersMax,
  readMetadata,
  windowWithin,
  writeMetadata,
} from './commit-metadata.ts'
import type { CommitState, Lineage } from './commit-metadata.ts'
import { countEnded } from './ended-above.ts'
import { anyLineage, anyState } from './fixture/arbitrary-state.ts'
import { failingMax, windowMax } from './ledger.ts'

const lineage: Lineage = { clusterId: 'cluster', topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }

const plain: CommitState = {
  frontier: 1_000,
  endedAbove: Uint8Array.of(0b1010),
  attempts: new Map([[1_000, 2]]),
  leaderEpoch: 7,
  mark: { isOpen: true, processId: 'process', deaths: 1, suspect: undefined },
}
const plainText = writeMetadata(plain, lineage).text

const readAt = (text: string | null, offset = 1_000) => readMetadata(text, { offset, lineage })

/** The largest state of all: nothing about it can be said shorter. */
function worstState(window: number): CommitState {
  const frontier = 2 ** 53 - 1 - windowMax
  const highest = frontier + window - 1
  const attempts = new Map<number, number>()
  // Apart by so much that the distances need two bytes as well.
  const distance = Math.floor(window / failingMax)
  for (let index = 0; index < failingMax; index += 1) {
    attempts.set(highest - index * distance, Number.MAX_SAFE_INTEGER)
  }
  const processId = (letter: string) => letter.repeat(64)
  const bits = new Uint8Array(Math.floor(window / 8)).fill(0b1010_1010)
  return {
    frontier,
    endedAbove: bits,
    attempts,
    leaderEpoch: 2 ** 31 - 1,
    mark: {
      isOpen: true,
      processId: processId('o'),
      deaths: Number.MAX_SAFE_INTEGER,
      suspect: {
        end: highest + 1,
        restarts: Number.MAX_SAFE_INTEGER,
        started: { offset: highest },
        accused: { offset: highest, processIds: ['a', 'b', 'c'].map(processId) },
      },
    },
  }
}

describe('commit metadata', () => {
  it('is read as it was written, and has room for a whole window', () => {
    fc.assert(
      fc.property(anyState(windowMax), anyLineage, (state, lineage) => {
        const written = writeMetadata(state, lineage)
        expect(written.text.length).toBeLessThanOrEqual(metadataCharactersMax)
        expect(written.isComplete).toBe(true)
        expect(readMetadata(written.text, { offset: state.frontier, lineage })).toEqual({ state })
      }),
      { seed: 5, numRuns: 100 },
    )
  })

  it('has room for the worst state of the whole window, and says which window has room in less', () => {
    expect(windowWithin(metadataCharactersMax)).toBe(windowMax)
    const worst = writeMetadata(worstState(windowMax), lineage)
    expect(worst.isComplete).toBe(true)
    expect(worst.text.length).toBe(3_662)
    let narrowed = 0
    for (let charactersMax = 0; charactersMax <= metadataCharactersMax; charactersMax += 13) {
      const window = windowWithin(charactersMax)
      if (window === 0) continue
      if (window < windowMax) narrowed += 1
      const written = writeMetadata(worstState(window), lineage, charactersMax)
      if (!written.isComplete || written.text.length > charactersMax) {
        expect({ charactersMax, window, written }).toBe('complete')
      }
    }
    expect(narrowed).toBeGreaterThan(100)
    expect([0, 100, 900].map(windowWithin)).toEqual([0, 0, 0])
    expect(windowWithin(1_200)).toBeGreaterThan(0)
  })

  it('names in less room what fits, attempts first, and nothing that is not so', () => {
    fc.assert(
      fc.property(anyState(2_048), fc.integer({ min: 0, max: 1_500 }), (state, charactersMax) => {
        const written = writeMetadata(state, lineage, charactersMax)
        expect(written.text.length).toBeLessThanOrEqual(charactersMax)
        const { state: read } = readAt(written.text, state.frontier)
        if (read === undefined) {
          expect(written).toEqual({
            text: '',
            isComplete: false,
            endedAboveNamed: 0,
            attemptsNamed: 0,
          })
          return
        }
        expect(read.mark).toEqual(state.mark)
        expect(read.attempts.size).toBe(written.attemptsNamed)
        const lowest = [...state.attempts].sort(([a], [b]) => a - b).slice(0, written.attemptsNamed)
        expect([...read.attempts]).toEqual(lowest)
        expect(countEnded(read.endedAbove)).toBe(written.endedAboveNamed)
        for (const [index, byte] of read.endedAbove.entries()) {
          expect(byte & ~(state.endedAbove[index] ?? 0)).toBe(0)
        }
        const isAll =
          countEnded(state.endedAbove) === written.endedAboveNamed &&
          lowest.length === state.attempts.size
        expect(written.isComplete).toBe(isAll)
        const withoutEnded = { ...state, endedAbove: new Uint8Array(0) }
        expect(written.attemptsNamed).toBe(
          writeMetadata(withoutEnded, lineage, charactersMax).attemptsNamed,
        )
      }),
      { seed: 5, numRuns: 300 },
    )
  })

  it('knows the highest offset that it names', () => {
    const nothing = { ...plain, endedAbove: new Uint8Array(0), attempts: new Map<number, number>() }
    const suspect = { end: 2_000, restarts: 0, started: undefined, accused: undefined }
    const mark = { isOpen: true, processId: 'process', deaths: 3, suspect }
    const started = { ...mark, suspect: { ...suspect, started: { offset: 1_500 } } }
    const accused = {
      ...mark,
      suspect: { ...suspect, accused: { offset: 1_600, processIds: ['a'] } },
    }
    expect(highestOffset({ ...nothing, mark })).toBeUndefined()
    expect(highestOffset({ ...nothing, mark: undefined })).toBeUndefined()
    expect(highestOffset({ ...nothing, mark: started })).toBe(1_500)
    expect(highestOffset({ ...nothing, mark: accused })).toBe(1_600)
    expect(highestOffset(plain)).toBe(1_003)
    expect(highestOffset({ ...plain, endedAbove: Uint8Array.of(0, 0, 1) })).toBe(1_016)
    expect(highestOffset({ ...plain, endedAbove: Uint8Array.of(0, 0xff) })).toBe(1_015)
    expect(highestOffset({ ...plain, attempts: new Map([[1_004, 1]]) })).toBe(1_004)
    expect(highestOffset({ ...nothing, frontier: 0, endedAbove: Uint8Array.of(1) })).toBe(0)
  })

  it('takes the shorter form', () => {
    const sparse = new Uint8Array(2_000)
    sparse[1_999] = 1
    const full = new Uint8Array(2_000).fill(255)
    const noise = new Uint8Array(2_000).fill(0b0101_0011)
    const lengthOf = (endedAbove: Uint8Array) =>
      writeMetadata({ ...plain, endedAbove }, lineage).text.length
    expect([sparse, full, noise].map(lengthOf)).toEqual([55, 55, 2_719])
  })

  it('does not change its bytes within a format', () => {
    expect(plainText).toBe('millrace.1.iaKkb-gHCHsjIEntB9QiAwdwcm9jZXNzAQEAAgEBCg')
  })

  it.each([
    [null, 'empty'],
    ['', 'empty'],
    ['AQAAAZqWvN0=', 'foreign', 'Kafka Streams'],
    ['AgAAAZqWvN0AAAAB', 'foreign', 'Kafka Streams'],
    ['bAAQAAA=', 'foreign', 'Parallel Consumer'],
    ['7igAAA==', 'foreign', 'Parallel Consumer'],
    ['committed by hand', 'foreign', 'something else'],
    ['host-1/4711', 'foreign'],
    ['Millrace.1.AAAA', 'foreign'],
    ['millrace.2.AAAA', 'newer-format', 'its format is 2'],
    ['millrace.999.', 'newer-format'],
    ['millrace.1', 'damaged'],
    ['millrace.0.AAAA', 'damaged'],
    ['millrace.1.', 'damaged'],
    ['millrace.1.AAAA', 'damaged'],
    ['millrace.1.AAAAAAAA', 'damaged', 'checksum'],
    [`${plainText}=`, 'damaged'],
    [`${plainText}\n`, 'damaged'],
  ])('tells why %j says nothing: %s', (text, reason, detail = '') => {
    const read = readAt(text)
    expect(read.unreadable).toBe(reason)
    expect(read.unreadable === undefined ? '' : read.detail).toContain(detail)
  })

  it('says nothing about another offset, cluster, topic or writer that knew less', () => {
    expect(readAt(plainText).state).toEqual(plain)
    expect(readAt(plainText, 1_001).unreadable).toBe('other-offset')
    expect(readAt(plainText, 999).unreadable).toBe('other-offset')
    const others = [
      { ...lineage, clusterId: 'another' },
      { ...lineage, topicId: 'AAAAAAAAAAAAAAAAAAAAAg' },
      { clusterId: lineage.clusterId },
      { topicId: lineage.topicId },
      {},
      { clusterId: 'null', topicId: lineage.topicId },
    ]
    for (const lineage of others) {
      expect(readMetadata(plainText, { offset: 1_000, lineage }).unreadable).toBe('other-lineage')
    }
    const unknown = writeMetadata({ ...plain, leaderEpoch: -1 }, {}).text
    const read = readMetadata(unknown, { offset: 1_000, lineage: {} })
    expect(read.state).toEqual({ ...plain, leaderEpoch: undefined })
  })

  it('is nothing when it was cut off or changed anywhere', () => {
    for (let length = 0; length < plainText.length; length += 1) {
      expect(readAt(plainText.slice(0, length)).state).toBeUndefined()
    }
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=\u{e9}'
    for (let index = 0; index < plainText.length; index += 1) {
      for (const letter of alphabet) {
        if (letter === plainText[index]) continue
        const changed = plainText.slice(0, index) + letter + plainText.slice(index + 1)
        expect(readAt(changed).state, changed).toBeUndefined()
      }
    }
  })

  it('says nothing for any other text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.base64String({ maxLength: 200 }),
      fc.string({ maxLength: 60 }).map((rest) => `millrace.1.${rest}`),
      fc
        .uint8Array({ maxLength: 100 })
        .map((bytes) => `millrace.1.${Buffer.from(bytes).toString('base64url')}`),
    )
    fc.assert(
      fc.property(text, fc.nat({ max: 1_000 }), (text, offset) => {
        expect(readAt(text, offset).state).toBeUndefined()
      }),
      { seed: 5, numRuns: 600 },
    )
  })
})
