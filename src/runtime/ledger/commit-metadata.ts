import { createHash } from 'node:crypto'
import { crc32c } from '../../protocol/records/index.ts'
import { ByteSink, ByteSource } from './byte-cursor.ts'
import { countEnded, readEndedAbove, writeEndedAbove } from './ended-above.ts'
import { failingMax, windowMax } from './ledger.ts'
import type { LedgerState } from './ledger.ts'
import { deathsUntilCondemned, processIdBytesMax } from './owner-mark.ts'
import type { Accused, Mark, Suspect } from './owner-mark.ts'

/** How long the metadata of a commit may be, unless the brokers' `offset.metadata.max.bytes` says otherwise. */
export const metadataCharactersMax = 4_096

/*
 * The text is `millrace.<format>.<base64url>`. README.md has the layout of the bytes. A format is written only
 * one minor release after all of ours can read it: until then `formatWritten` stays behind `formatRead`, so
 * that the release before finds what this one wrote.
 */
const name = 'millrace'
const formatWritten = 1
const formatRead = 1
const prefix = `${name}.${formatWritten}.`

const crcBytes = 4
const hashBytes = 8
/** Counts above are written as this one: nobody needs them exactly, and so their length is bounded. */
const countMax = 2 ** 28 - 1
const leaderEpochMax = 2 ** 31 - 1

/** Which log the offsets are of, as far as it is known. */
export interface Lineage {
  readonly clusterId?: string | undefined
  readonly topicId?: string | undefined
}

/** All that a commit says of a partition. */
export interface CommitState extends LedgerState {
  /** Of the highest offset that it names; undefined where there is none, or it is not known. */
  readonly leaderEpoch: number | undefined
  /** Undefined only in what no owner of ours wrote. */
  readonly mark: Mark | undefined
}

export interface WrittenMetadata {
  readonly text: string
  /** Whether it names all of the state. What it does not name may be run again after a crash. */
  readonly isComplete: boolean
  /** How many offsets above the frontier it names as ended. */
  readonly endedAboveNamed: number
  /** The attempts of how many failing records it names. */
  readonly attemptsNamed: number
}

/** Why the metadata of a commit tells nothing. */
export type UnreadableMetadata =
  /** There is none. */
  | 'empty'
  /** Something else wrote it. */
  | 'foreign'
  /** A later release wrote it. */
  | 'newer-format'
  /** It begins like ours and is cut off or changed. */
  | 'damaged'
  /** It belongs to another committed offset. */
  | 'other-offset'
  /** It belongs to another cluster or topic, or to a writer that knew more or less about them. */
  | 'other-lineage'

export type ReadMetadata =
  | { readonly state: CommitState; readonly unreadable?: never }
  | { readonly state?: never; readonly unreadable: UnreadableMetadata; readonly detail: string }

/**
 * The text for a commit of the state. Where `charactersMax` has no room for all of it, the mark comes first,
 * then attempts, then what has ended, each from the lowest offset on; where not even the mark has room, the
 * text is empty. Whatever the state, all of it has room if its window is at most `windowWithin(charactersMax)`.
 */
export function writeMetadata(
  state: CommitState,
  lineage: Lineage,
  charactersMax = metadataCharactersMax,
): WrittenMetadata {
  const { frontier, endedAbove, attempts, mark } = state
  // Kafka says -1 where it does not know.
  const leaderEpoch = state.leaderEpoch === -1 ? undefined : state.leaderEpoch
  const bytesMax = payloadBytesWithin(charactersMax)
  const sink = new ByteSink()
  sink.number(frontier)
  sink.number(leaderEpoch === undefined ? 0 : leaderEpoch + 1)
  sink.bytes(lineageHash(lineage, leaderEpoch))
  writeMark(sink, mark, frontier)
  // At least the number of attempts and the form of what has ended.
  if (sink.length + 2 > bytesMax) {
    return { text: '', isComplete: false, endedAboveNamed: 0, attemptsNamed: 0 }
  }
  const attemptsNamed = writeAttempts(sink, attempts, frontier, bytesMax - 1)
  const endedAboveNamed = writeEndedAbove(sink, endedAbove, bytesMax - sink.length)
  const payload = sink.take()
  const bytes = Buffer.alloc(crcBytes + payload.length)
  bytes.writeUInt32BE(crc32c(payload), 0)
  bytes.set(payload, crcBytes)
  return {
    text: prefix + bytes.toString('base64url'),
    isComplete: attemptsNamed === attempts.size && endedAboveNamed === countEnded(endedAbove),
    endedAboveNamed,
    attemptsNamed,
  }
}

/**
 * What the metadata of a commit at `offset` says, or why it says nothing. It never throws. Whether the log
 * still has what it names must be asked of the leader: its log of `leaderEpoch` must not end below.
 */
export function readMetadata(
  text: string | null | undefined,
  { offset, lineage }: { readonly offset: number; readonly lineage: Lineage },
): ReadMetadata {
  if (text === undefined || text === null || text === '')
    return unreadable('empty', 'there is none')
  const [, format, encoded] = /^millrace\.([1-9]\d{0,5})\.([\w-]*)$/.exec(text) ?? []
  if (format === undefined || encoded === undefined) {
    if (text.startsWith(`${name}.`)) return unreadable('damaged', 'its characters are not ours')
    return unreadable('foreign', writerOf(text))
  }
  if (Number(format) > formatRead) {
    return unreadable(
      'newer-format',
      `its format is ${format}, known are formats up to ${formatRead}`,
    )
  }
  const bytes = Buffer.from(encoded, 'base64url')
  const payload = bytes.subarray(crcBytes)
  const isWhole = bytes.length > crcBytes && bytes.toString('base64url') === encoded
  if (!isWhole || crc32c(payload) !== bytes.readUInt32BE(0)) {
    return unreadable('damaged', 'its checksum does not match')
  }
  return readPayload(new ByteSource(payload), offset, lineage)
}

/** The highest offset that the state names: what `leaderEpoch` is of. Undefined when it names none. */
export function highestOffset(state: Omit<CommitState, 'leaderEpoch'>): number | undefined {
  const { frontier, endedAbove, attempts, mark } = state
  const { started, accused } = mark?.suspect ?? {}
  const top = endedAbove.length - 1
  const ended = top * 8 + 31 - Math.clz32(endedAbove[top] ?? 0)
  const offsets = [...attempts.keys(), started?.offset ?? -1, accused?.offset ?? -1]
  if (top >= 0) offsets.push(frontier + ended)
  const highest = Math.max(...offsets)
  return highest === -1 ? undefined : highest
}

/**
 * The widest window of which all has room in metadata of so many characters, whatever ends and fails; 0 when
 * there is none.
 */
export function windowWithin(charactersMax: number): number {
  const longestOffset = 8
  const longestEpoch = 5
  const longestAttempts = 1 + failingMax * (2 + 4)
  const longestId = 1 + processIdBytesMax
  const longestMark = 1 + longestId + 4 + (3 + 4 + 2) + (2 + 1 + deathsUntilCondemned * longestId)
  const formAndLength = 1 + 2
  const others =
    longestOffset + longestEpoch + hashBytes + longestMark + longestAttempts + formAndLength
  const bytes = payloadBytesWithin(charactersMax) - others
  return Math.max(0, Math.min(windowMax, bytes * 8))
}

/** Four characters carry three bytes; there is no padding. */
function payloadBytesWithin(charactersMax: number): number {
  return Math.floor(((charactersMax - prefix.length) * 3) / 4) - crcBytes
}

function lineageHash({ clusterId, topicId }: Lineage, leaderEpoch: number | undefined): Buffer {
  const known = JSON.stringify([clusterId ?? null, topicId ?? null, leaderEpoch ?? null])
  return createHash('sha256').update(known).digest().subarray(0, hashBytes)
}

function readPayload(source: ByteSource, offset: number, lineage: Lineage): ReadMetadata {
  const frontier = source.number(Number.MAX_SAFE_INTEGER)
  const storedEpoch = source.number(leaderEpochMax + 1)
  const leaderEpoch = storedEpoch === 0 ? undefined : storedEpoch - 1
  const hash = source.bytes(hashBytes)
  const mark = readMark(source, frontier)
  const attempts = readAttempts(source, frontier)
  const endedAbove = readEndedAbove(source)
  if (!source.isDone) return unreadable('damaged', 'its bytes are not what we write')
  if (frontier !== offset) {
    return unreadable('other-offset', `it belongs to offset ${frontier}, committed is ${offset}`)
  }
  if (!lineageHash(lineage, leaderEpoch).equals(hash)) {
    return unreadable('other-lineage', 'it was written for another cluster or topic')
  }
  return { state: { frontier, endedAbove, attempts, leaderEpoch, mark } }
}

function writeAttempts(
  sink: ByteSink,
  attempts: ReadonlyMap<number, number>,
  frontier: number,
  bytesMax: number,
): number {
  const entries = new ByteSink()
  let named = 0
  let previous = frontier
  for (const [offset, count] of [...attempts].sort(([a], [b]) => a - b).slice(0, failingMax)) {
    const entry = new ByteSink()
    entry.number(offset - previous)
    entry.number(Math.min(count, countMax))
    if (sink.length + 1 + entries.length + entry.length > bytesMax) break
    entries.bytes(entry.take())
    previous = offset
    named += 1
  }
  sink.number(named)
  sink.bytes(entries.take())
  return named
}

function readAttempts(source: ByteSource, frontier: number): Map<number, number> {
  const attempts = new Map<number, number>()
  const count = source.number(failingMax)
  let offset = frontier
  for (let index = 0; index < count && !source.hasFailed; index += 1) {
    offset += source.number(Number.MAX_SAFE_INTEGER - offset)
    const failed = source.number(countMax)
    if (failed === 0 || attempts.has(offset)) source.refuse()
    attempts.set(offset, failed)
  }
  return attempts
}

const markIsThere = 1
const markIsOpen = 2
const markIsSuspect = 4
const markHasStarted = 8
const markHasAccused = 16

function writeMark(sink: ByteSink, mark: Mark | undefined, frontier: number): void {
  if (mark === undefined) {
    sink.byte(0)
    return
  }
  const { suspect } = mark
  const accused = suspect?.accused
  sink.byte(
    markIsThere |
      (mark.isOpen ? markIsOpen : 0) |
      (suspect === undefined ? 0 : markIsSuspect) |
      (suspect?.started === undefined ? 0 : markHasStarted) |
      (accused === undefined ? 0 : markHasAccused),
  )
  sink.text(mark.processId)
  sink.number(Math.min(mark.deaths, countMax))
  if (suspect === undefined) return
  sink.number(suspect.end - frontier)
  sink.number(Math.min(suspect.restarts, countMax))
  if (suspect.started !== undefined) sink.number(suspect.started.offset - frontier)
  if (accused === undefined) return
  sink.number(accused.offset - frontier)
  sink.number(accused.processIds.length)
  for (const processId of accused.processIds) sink.text(processId)
}

function readMark(source: ByteSource, frontier: number): Mark | undefined {
  const flags = source.byte()
  const isWithout = (flag: number) => (flags & flag) === 0
  const partsOfSuspect = markHasStarted | markHasAccused
  if (flags >= 32 || (isWithout(markIsSuspect) && !isWithout(partsOfSuspect))) source.refuse()
  if (isWithout(markIsThere)) {
    if (flags !== 0) source.refuse()
    return undefined
  }
  const processId = readProcessId(source)
  const deaths = source.number(countMax)
  const mark = { isOpen: !isWithout(markIsOpen), processId, deaths }
  if (isWithout(markIsSuspect)) return { ...mark, suspect: undefined }
  const end = frontier + source.number(windowMax)
  const restarts = source.number(countMax)
  const startedAt = isWithout(markHasStarted) ? undefined : frontier + source.number(windowMax)
  const suspect: Suspect = {
    end,
    restarts,
    started: startedAt === undefined ? undefined : { offset: startedAt },
    accused: isWithout(markHasAccused) ? undefined : readAccused(source, frontier),
  }
  if (end === frontier || (suspect.started?.offset ?? 0) >= end) source.refuse()
  if ((suspect.accused?.offset ?? 0) >= end) source.refuse()
  return { ...mark, suspect }
}

function readAccused(source: ByteSource, frontier: number): Accused {
  const offset = frontier + source.number(windowMax)
  const count = source.number(deathsUntilCondemned)
  const processIds: string[] = []
  for (let index = 0; index < count; index += 1) processIds.push(readProcessId(source))
  if (count === 0 || new Set(processIds).size < count) source.refuse()
  return { offset, processIds }
}

function readProcessId(source: ByteSource): string {
  const processId = source.text(processIdBytesMax)
  if (processId === '') source.refuse()
  return processId
}

/**
 * Who may have written a text that is not ours. Kafka Streams and Parallel Consumer both begin with a byte
 * that says how to read the rest, in base64.
 */
function writerOf(text: string): string {
  const isBase64 = /^(?:[\w+/]{4})*(?:[\w+/]{2}==|[\w+/]{3}=)?$/.test(text)
  const [first] = isBase64 ? Buffer.from(text.slice(0, 4), 'base64') : []
  if (first === 1 || first === 2) return 'Kafka Streams may have written it'
  if (first !== undefined && parallelConsumerForms.has(first)) {
    return 'Parallel Consumer may have written it: what it had finished above the committed offset is run again'
  }
  return 'something else has written it'
}

const parallelConsumerForms = new Set([...Buffer.from('LlanJosep'), 0xee])

function unreadable(reason: UnreadableMetadata, detail: string): ReadMetadata {
  return { unreadable: reason, detail }
}
