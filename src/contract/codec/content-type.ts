import { ContractViolation } from '../contract-error.ts'
import { oneLine } from '../schema/shown.ts'
import type { Codec } from './codec.ts'
import { jsonCodec } from './json-codec.ts'

/** The codecs of a topic by content type. */
export class CodecTable {
  readonly #byType = new Map<string, Codec>()
  readonly #preferred: Codec
  readonly #hasOneJson: boolean

  /** `preferred` writes, and reads what has no content type; the others read what says so. */
  constructor(preferred: Codec, others: readonly Codec[]) {
    this.#preferred = preferred
    for (const codec of [...others, preferred]) this.#byType.set(codec.contentType, codec)
    this.#hasOneJson = [...this.#byType.values()].every(
      (codec) => codec === jsonCodec || !codec.isJson,
    )
  }

  /** Whether the JSON of this library is the only codec here whose values are JSON's. */
  get hasOneJson(): boolean {
    return this.#hasOneJson
  }

  get contentTypes(): string[] {
    return [...this.#byType.keys()]
  }

  /** The codec for what the header `content-type` says. */
  codecFor(header: Buffer | null | undefined): Codec {
    if (header === null || header === undefined || header.length === 0) return this.#preferred
    const written = header.toString('latin1')
    return this.#byType.get(written) ?? this.#lookUp(written)
  }

  #lookUp(written: string): Codec {
    const { mediaType, charset } = parseContentType(written)
    const codec =
      this.#byType.get(mediaType) ??
      (mediaType.endsWith('+json') ? this.#byType.get('application/json') : undefined)
    if (codec !== undefined && (charset === undefined || /^(?:utf-?8|us-ascii)$/.test(charset))) {
      return codec
    }
    throw new ContractViolation(
      'content-type-unknown',
      `has the content type '${oneLine(written)}'; known are ${this.contentTypes.join(', ')}`,
    )
  }
}

/** The parts of a content type (RFC 9110, 8.3): the media type in lower case, and the charset. */
export function parseContentType(written: string): { mediaType: string; charset?: string } {
  const [mediaType = '', ...parameters] = written.split(';')
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/i.exec(parameter)?.[1])
    .find((value) => value !== undefined)
  const parsed = { mediaType: mediaType.trim().toLowerCase() }
  return charset === undefined ? parsed : { ...parsed, charset: charset.toLowerCase() }
}
