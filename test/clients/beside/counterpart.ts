/** Another client in a process of its own, told what to do: how is told in `Counterpart.java`. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { AssignorName } from '../../../src/client/consumer/group-options.ts'
import type { RecordBytes } from '../../../src/client/producer/producer-record.ts'

/** The program of another client; it is given the broker as its last argument. */
export interface OtherClient {
  /** As the cases call it. */
  readonly name: string
  readonly command: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** What it writes behind the metadata of a commit, unasked. */
  readonly metadataEnd: string
  /** Which it has in common with us, and what it calls them. */
  readonly assignors: readonly { readonly ours: AssignorName; readonly theirs: string }[]
}

/** A record as both sides can be compared. */
export interface ToldRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly (readonly [name: string, value: string | null])[]
}

export interface WrittenRecord {
  readonly topic: string
  readonly partition?: number
  readonly key?: RecordBytes
  readonly value: RecordBytes
  readonly headers?: readonly (readonly [name: string, value: RecordBytes])[]
  /** @defaultValue 'none' */
  readonly codec?: string
  /** @defaultValue 'plain', outside of a transaction */
  readonly outcome?: 'plain' | 'commit' | 'abort'
}

interface Command {
  readonly line: (words: readonly string[]) => void
  readonly done: (answer: string) => void
  readonly failed: (error: Error) => void
}

/** A member of a group on the other side. */
export interface OtherMember extends AsyncDisposable {
  readonly records: readonly ToldRecord[]
  readonly partitions: readonly number[]
  leave(): Promise<void>
}

export class Counterpart implements AsyncDisposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #commands = new Map<number, Command>()
  readonly #name: string
  #count = 0

  constructor(other: OtherClient, bootstrap: string) {
    this.#name = other.name
    const env = { ...process.env, ...other.environment }
    this.#child = spawn(other.command, [...other.arguments, bootstrap], { env })
    this.#child.stderr.resume()
    const lines = createInterface({ input: this.#child.stdout })
    lines.on('line', (line) => this.#answered(line))
    this.#child.once('exit', () => {
      for (const { failed } of this.#commands.values()) failed(this.#error('has ended'))
    })
  }

  /** Writes a record; answers where it is. */
  async write(record: WrittenRecord): Promise<{ partition: number; offset: number }> {
    const { topic, partition, key = null, value, headers = [], codec = 'none' } = record
    const words = headers.flatMap(([name, bytes]) => [told(name), told(bytes)])
    const place = partition === undefined ? '-' : String(partition)
    const outcome = record.outcome ?? 'plain'
    const answer = await this.#command(
      ['write', topic, codec, outcome, place, told(key), told(value), ...words],
      () => undefined,
    )
    const [written = -1, offset = -1] = answer.split(' ').map(Number)
    return { partition: written, offset }
  }

  /** Reads so many committed records from the beginning of a topic. */
  async read(topic: string, count: number): Promise<ToldRecord[]> {
    const records: ToldRecord[] = []
    await this.#command(['read', topic, String(count)], (words) => records.push(recordOf(words)))
    return records
  }

  async commit(group: string, topic: string, offset: number, metadata: string): Promise<void> {
    const words = ['commit', group, topic, '0', String(offset), told(metadata)]
    await this.#command(words, () => undefined)
  }

  /** The group's offset of partition 0, with its metadata. */
  async committed(group: string, topic: string): Promise<{ offset: number; metadata: string }> {
    const answer = await this.#command(['committed', group, topic, '0'], () => undefined)
    const [offset, metadata = '='] = answer.split(' ')
    return { offset: Number(offset), metadata: untold(metadata) ?? '' }
  }

  /** Joins a group: with an assignor, by the other's name for it, or in the consumer protocol. */
  async join(group: string, topic: string, assignor?: string): Promise<OtherMember> {
    const records: ToldRecord[] = []
    let partitions: readonly number[] = []
    let failure: Error | undefined
    const name = `member-${this.#count}`
    await this.#command(['join', name, group, topic, assignor ?? '-', '-'], (words) => {
      if (words[0] === 'RECORD') records.push(recordOf(words))
      else if (words[0] === 'HAS') partitions = words.slice(1).filter(Boolean).map(Number)
      else failure = this.#error(words.join(' '))
    })
    let left: Promise<unknown> | undefined
    const leave = async (): Promise<void> => {
      left ??= this.#command(['leave', name], () => undefined)
      await left
      partitions = []
    }
    return {
      records,
      get partitions() {
        if (failure !== undefined) throw failure
        return partitions
      },
      leave,
      [Symbol.asyncDispose]: leave,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.stdin.end()
    await exited
  }

  #command(words: readonly string[], line: Command['line']): Promise<string> {
    const number = this.#count++
    return new Promise((done, failed) => {
      this.#commands.set(number, { line, done, failed })
      this.#child.stdin.write(`${[number, ...words].join(' ')}\n`)
    })
  }

  #error(what: string): Error {
    return new Error(`${this.#name}: ${what}`)
  }

  #answered(text: string): void {
    const [number = '', ...words] = text.split(' ')
    const command = this.#commands.get(Number(number))
    const rest = words.slice(1).join(' ')
    if (words[0] === 'OK') command?.done(rest)
    else command?.line(words)
    // A member may fail after it has joined: then this changes nothing any more.
    if (words[0] === 'ERROR') command?.failed(this.#error(rest))
  }
}

function told(bytes: RecordBytes): string {
  if (bytes === null) return '-'
  return bytes.length === 0 ? '=' : Buffer.from(bytes as string).toString('base64')
}

function untold(text: string): string | null {
  if (text === '-') return null
  return text === '=' ? '' : Buffer.from(text, 'base64').toString()
}

function recordOf(words: readonly string[]): ToldRecord {
  const [, partition, offset, key = '-', value = '-', ...rest] = words
  const headers: [string, string | null][] = []
  for (let at = 0; at + 1 < rest.length; at += 2) {
    headers.push([untold(rest[at] ?? '=') ?? '', untold(rest[at + 1] ?? '-')])
  }
  return {
    partition: Number(partition),
    offset: Number(offset),
    key: untold(key),
    value: untold(value),
    headers,
  }
}
