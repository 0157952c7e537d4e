import { ProtocolError } from '../../errors.ts'
import type { Field, Fields, FieldOptions, Primitive, WireType } from './field.ts'
import type { Reader } from './reader.ts'
import { includes, versionRange } from './versions.ts'
import { Writer } from './writer.ts'

/** Reads and writes one wire type in one version of a message. */
interface ValueCodec {
  readonly read: (reader: Reader) => unknown
  readonly write: (writer: Writer, value: unknown) => void
  /** The fewest bytes a value takes: what a declared array length is checked against. */
  readonly bytesMin: number
}

export interface StructCodec {
  readonly read: (reader: Reader) => Record<string, unknown>
  readonly write: (writer: Writer, value: Record<string, unknown>) => void
  readonly bytesMin: number
}

interface FieldCodec extends ValueCodec {
  readonly name: string
}

interface TaggedCodec extends FieldCodec {
  readonly tag: number
}

/** Where a field stands, for messages of errors. */
type Path = string

const zeroUuid = 'A'.repeat(22)

/**
 * What becomes of a value that the version in use cannot carry, unless its field is ignorable. A
 * request that loses a part of what was asked must not be sent. A response is made once for all
 * versions: older ones carry less of it.
 */
export type AbsentFields = 'refused' | 'left-out'

/** The version that a codec is for, and what holds in it. */
export interface CodecVersion {
  readonly version: number
  readonly flexible: boolean
  readonly absentFields: AbsentFields
}

/** Makes the codec of a struct for one version. `path` names it in errors. */
export function compileStruct(path: Path, fields: Fields, codecVersion: CodecVersion): StructCodec {
  const { version, flexible, absentFields } = codecVersion
  const inOrder: FieldCodec[] = []
  const tagged: TaggedCodec[] = []
  const absent: AbsentField[] = []
  const defaults: Record<string, unknown> = {}
  const emptyArrays: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    const fieldPath = `${path}.${name}`
    defaults[name] = defaultOf(field)
    if (!includes(versionRange(field.versions), version)) {
      const mayBeDropped = field.options.ignorable === true || absentFields === 'left-out'
      if (!mayBeDropped) absent.push({ name, path: fieldPath, version })
      continue
    }
    const codec = fieldCodec(fieldPath, field, codecVersion)
    const tag = field.options.tag
    if (tag !== undefined && includes(versionRange(tag[1]), version)) {
      tagged.push({ name, tag: tag[0], ...codec })
    } else {
      inOrder.push({ name, ...codec })
    }
  }
  for (const name of Object.keys(defaults)) {
    const isRead = inOrder.some((field) => field.name === name)
    if (!isRead && Array.isArray(defaults[name])) emptyArrays.push(name)
  }
  tagged.sort((a, b) => a.tag - b.tag)
  return structCodec({ inOrder, tagged, absent, defaults, emptyArrays, flexible })
}

interface StructParts {
  readonly inOrder: readonly FieldCodec[]
  readonly tagged: readonly TaggedCodec[]
  readonly absent: readonly AbsentField[]
  readonly defaults: Record<string, unknown>
  /** Fields that are not read in order and default to an array, which messages must not share. */
  readonly emptyArrays: readonly string[]
  readonly flexible: boolean
}

interface AbsentField {
  readonly name: string
  readonly path: Path
  readonly version: number
}

function structCodec(parts: StructParts): StructCodec {
  const { inOrder, absent, defaults, emptyArrays, flexible } = parts
  const bytesMin = inOrder.reduce((sum, field) => sum + field.bytesMin, flexible ? 1 : 0)
  return {
    bytesMin,
    read(reader) {
      const value = { ...defaults }
      for (const name of emptyArrays) value[name] = []
      for (const field of inOrder) value[field.name] = field.read(reader)
      if (flexible) readTagged(reader, parts.tagged, value)
      return value
    },
    write(writer, value) {
      for (const field of inOrder) {
        const given = value[field.name]
        field.write(writer, given === undefined ? defaults[field.name] : given)
      }
      for (const field of absent)
        refuseUnlessDefault(field, value[field.name], defaults[field.name])
      if (flexible) writeTagged(writer, parts, value)
    },
  }
}

function readTagged(
  reader: Reader,
  tagged: readonly TaggedCodec[],
  value: Record<string, unknown>,
): void {
  if (tagged.length === 0) {
    reader.taggedFields()
    return
  }
  reader.taggedFields((tag, content) => {
    const field = tagged.find((candidate) => candidate.tag === tag)
    if (field === undefined) return false
    value[field.name] = field.read(content)
    return true
  })
}

function writeTagged(writer: Writer, parts: StructParts, value: Record<string, unknown>): void {
  const present = parts.tagged.filter((field) => {
    const given = value[field.name]
    return given !== undefined && !isDefault(given, parts.defaults[field.name])
  })
  writer.unsignedVarint(present.length)
  for (const field of present) {
    const content = new Writer()
    field.write(content, value[field.name])
    writer.unsignedVarint(field.tag)
    writer.unsignedVarint(content.bytesWritten)
    for (const chunk of content.chunks()) writer.raw(chunk)
  }
}

function refuseUnlessDefault(field: AbsentField, given: unknown, byDefault: unknown): void {
  if (given === undefined || isDefault(given, byDefault)) return
  throw new ProtocolError(
    `${field.path} (${JSON.stringify(given)}) cannot be sent in version ${field.version}, which has no such field`,
  )
}

function isDefault(given: unknown, byDefault: unknown): boolean {
  if (Array.isArray(given) && Array.isArray(byDefault)) return given.length === 0
  return given === byDefault
}

function defaultOf(field: Field<unknown, boolean>): unknown {
  const declared = field.options.default
  if (declared !== undefined) return declared
  switch (field.type.kind) {
    case 'array':
      return []
    case 'struct':
      return Object.fromEntries(
        Object.entries(field.type.fields).map(([name, inner]) => [name, defaultOf(inner)]),
      )
    case 'bool':
      return false
    case 'string':
      return ''
    case 'uuid':
      return zeroUuid
    case 'bytes':
    case 'records':
      return Buffer.alloc(0)
    default:
      return 0
  }
}

function fieldCodec(
  path: Path,
  field: Field<unknown, boolean>,
  codecVersion: CodecVersion,
): ValueCodec {
  const nullable = isNullable(field.options, codecVersion.version)
  return valueCodec({ ...codecVersion, path, nullable }, field.type)
}

function isNullable(options: FieldOptions, version: number): boolean {
  return includes(versionRange(options.nullable), version)
}

interface Context extends CodecVersion {
  readonly path: Path
  readonly nullable: boolean
}

function valueCodec(context: Context, type: WireType): ValueCodec {
  switch (type.kind) {
    case 'array':
      return arrayCodec(context, type.element)
    case 'struct':
      return nestedStructCodec(context, type.fields)
    case 'string':
      return stringCodec(context)
    case 'bytes':
    case 'records':
      return bytesCodec(context)
    default:
      return fixedCodec(type.kind, context.path)
  }
}

function nestedStructCodec(context: Context, fields: Fields): ValueCodec {
  const { path, nullable } = context
  const codec = compileStruct(path, fields, context)
  const write = (writer: Writer, value: unknown) => {
    codec.write(writer, value as Record<string, unknown>)
  }
  if (!nullable) return { read: codec.read, write, bytesMin: codec.bytesMin }
  return {
    bytesMin: 1,
    read: (reader) => (reader.int8() < 0 ? null : codec.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1)
      if (value !== null) write(writer, value)
    },
  }
}

function arrayCodec(context: Context, elementType: WireType): ValueCodec {
  const { path, flexible, nullable } = context
  const element = valueCodec({ ...context, path: `${path}[]`, nullable: false }, elementType)
  return {
    bytesMin: flexible ? 1 : 4,
    read(reader) {
      const length = reader.length(flexible)
      if (length < 0) return nullOrRefuse(context, length)
      if (length * element.bytesMin > reader.remaining) {
        throw new ProtocolError(
          `${path} declares ${length} elements of at least ${element.bytesMin} bytes, ${reader.remaining} bytes are left`,
        )
      }
      const values: unknown[] = []
      for (let i = 0; i < length; i++) values.push(element.read(reader))
      return values
    },
    write(writer, value) {
      if (value === null) {
        if (!nullable) throw mustNotBeNull(context)
        writer.length(-1, flexible)
        return
      }
      const values = value as readonly unknown[]
      writer.length(values.length, flexible)
      for (const item of values) element.write(writer, item)
    },
  }
}

function stringCodec(context: Context): ValueCodec {
  const { flexible, nullable } = context
  return {
    bytesMin: flexible ? 1 : 2,
    read(reader) {
      const length = reader.stringLength(flexible)
      return length < 0 ? nullOrRefuse(context, length) : reader.text(length)
    },
    write(writer, value) {
      if (value !== null) writer.string(value as string, flexible)
      else if (!nullable) throw mustNotBeNull(context)
      else if (flexible) writer.unsignedVarint(0)
      else writer.int16(-1)
    },
  }
}

function bytesCodec(context: Context): ValueCodec {
  const { flexible, nullable } = context
  return {
    bytesMin: flexible ? 1 : 4,
    read(reader) {
      const length = reader.length(flexible)
      return length < 0 ? nullOrRefuse(context, length) : reader.view(length)
    },
    write(writer, value) {
      if (value === null) {
        if (!nullable) throw mustNotBeNull(context)
        writer.length(-1, flexible)
        return
      }
      const chunks = value instanceof Uint8Array ? [value] : (value as readonly Uint8Array[])
      writer.length(
        chunks.reduce((sum, chunk) => sum + chunk.length, 0),
        flexible,
      )
      for (const chunk of chunks) writer.raw(chunk)
    },
  }
}

function nullOrRefuse(context: Context, length: number): null {
  if (length === -1 && context.nullable) return null
  if (length === -1) throw mustNotBeNull(context)
  throw new ProtocolError(`${context.path} declares a length of ${length}`)
}

function mustNotBeNull(context: Context): ProtocolError {
  return new ProtocolError(`${context.path} must not be null in version ${context.version}`)
}

type FixedKind = Exclude<Primitive, 'string' | 'bytes' | 'records'>

const fixed: Record<FixedKind, ValueCodec> = {
  bool: { bytesMin: 1, read: (r) => r.bool(), write: (w, v) => w.bool(v as boolean) },
  int8: { bytesMin: 1, read: (r) => r.int8(), write: (w, v) => w.int8(v as number) },
  int16: { bytesMin: 2, read: (r) => r.int16(), write: (w, v) => w.int16(v as number) },
  uint16: { bytesMin: 2, read: (r) => r.uint16(), write: (w, v) => w.uint16(v as number) },
  int32: { bytesMin: 4, read: (r) => r.int32(), write: (w, v) => w.int32(v as number) },
  int64: { bytesMin: 8, read: (r) => r.int64(), write: (w, v) => w.int64(v as number) },
  float64: { bytesMin: 8, read: (r) => r.float64(), write: (w, v) => w.float64(v as number) },
  uuid: { bytesMin: 16, read: (r) => r.uuid(), write: (w, v) => w.uuid(v as string) },
}

function fixedCodec(kind: FixedKind, path: Path): ValueCodec {
  const codec = fixed[kind]
  return {
    ...codec,
    write(writer, value) {
      try {
        codec.write(writer, value)
      } catch (cause) {
        throw new ProtocolError(`${path} (${String(value)}) is not a valid ${kind}`, { cause })
      }
    },
  }
}
