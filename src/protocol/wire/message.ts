import { ProtocolError } from '../../errors.ts'
import type { Decoded, Encodable, Fields } from './field.ts'
import { Reader } from './reader.ts'
import { compileStruct } from './struct-codec.ts'
import type { AbsentFields, StructCodec } from './struct-codec.ts'
import { includes, versionRange } from './versions.ts'
import type { VersionRange } from './versions.ts'
import { Writer } from './writer.ts'

/**
 * A message of the protocol: its fields and versions, and the encoders and decoders that follow
 * from them. Those are made per version when first used.
 */
export class Message<F extends Fields> {
  readonly name: string
  readonly fields: F
  readonly versions: VersionRange
  /** Versions with compact lengths and tagged fields (KIP-482). */
  readonly flexible: VersionRange
  readonly #absentFields: AbsentFields
  readonly #codecs: StructCodec[] = []

  constructor(
    name: string,
    versions: string,
    flexible: string,
    fields: F,
    absentFields: AbsentFields = 'refused',
  ) {
    this.name = name
    this.fields = fields
    this.#absentFields = absentFields
    this.versions = versionRange(versions)
    this.flexible = versionRange(flexible)
  }

  isFlexible(version: number): boolean {
    return includes(this.flexible, version)
  }

  /** Reads one message; what follows it stays unread. */
  read(reader: Reader, version: number): Decoded<F> {
    return this.#codec(version).read(reader) as Decoded<F>
  }

  write(writer: Writer, value: Encodable<F>, version: number): void {
    this.#codec(version).write(writer, value)
  }

  /** Reads a message that must fill `buffer` exactly. */
  decode(buffer: Buffer, version: number): Decoded<F> {
    const reader = new Reader(buffer)
    const value = this.read(reader, version)
    if (reader.remaining > 0) {
      throw new ProtocolError(
        `${this.name} v${version} has ${reader.remaining} bytes after its end`,
      )
    }
    return value
  }

  encode(value: Encodable<F>, version: number): Buffer {
    const writer = new Writer()
    this.write(writer, value, version)
    return writer.toBuffer()
  }

  #codec(version: number): StructCodec {
    const known = this.#codecs[version]
    if (known !== undefined) return known
    if (!includes(this.versions, version)) {
      throw new ProtocolError(
        `${this.name} version (${version}) must be from ${this.versions.first} to ${this.versions.last}`,
      )
    }
    const made = compileStruct(this.name, this.fields, {
      version,
      flexible: this.isFlexible(version),
      absentFields: this.#absentFields,
    })
    this.#codecs[version] = made
    return made
  }
}

/** What a reader of the message gets. */
export type DecodedMessage<M> = M extends Message<infer F> ? Decoded<F> : never
/** What a writer of the message takes. */
export type MessageInput<M> = M extends Message<infer F> ? Encodable<F> : never
