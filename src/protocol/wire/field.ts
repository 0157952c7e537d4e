/**
 * The vocabulary in which messages are declared. A message is an object of fields; a field says its
 * wire type and the versions that carry it, `'0+'`, `'3-5'` or `'7'`. Its TypeScript type follows
 * from the declaration.
 *
 * ```ts
 * const topic = {
 *   name: string('0+', { nullable: '10+' }),
 *   topicId: uuid('10+'),
 *   partitions: array('0+', { partitionIndex: int32('0+') }),
 * }
 * ```
 */
export type Primitive =
  | 'bool'
  | 'int8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'string'
  | 'bytes'
  | 'records'
  | 'uuid'

export type Fields = Readonly<Record<string, Field<unknown, boolean>>>

/** The wire type of a field, without the versions that carry it. */
export type WireType =
  | { readonly kind: Primitive }
  | { readonly kind: 'struct'; readonly fields: Fields }
  | { readonly kind: 'array'; readonly element: WireType }

export interface FieldOptions {
  /** The versions in which the field may be null. */
  readonly nullable?: string
  /**
   * What a reader sees in versions that do not carry the field, and what is written when the field
   * is left out. Without it: 0, '', false, an empty array, an all-zero UUID.
   */
  readonly default?: number | string | boolean | null
  /** The versions in which the field is tagged, and its tag. */
  readonly tag?: readonly [tag: number, versions: string]
  /** Whether a value may be dropped silently when the version in use does not carry the field. */
  readonly ignorable?: true
}

declare const valueType: unique symbol
declare const mayBeLeftOut: unique symbol

/** A declared field: `Value` is its TypeScript type, `Optional` whether a writer may leave it out. */
export interface Field<Value, Optional extends boolean> {
  readonly type: WireType
  readonly versions: string
  readonly options: FieldOptions
  readonly [valueType]?: Value
  readonly [mayBeLeftOut]?: Optional
}

type OrNull<Value, Options> = Options extends { nullable: string } ? Value | null : Value

type LeftOut<Versions extends string, Options> = Options extends { default: unknown }
  ? true
  : Options extends { tag: unknown }
    ? true
    : Versions extends '0+'
      ? false
      : true

/** What a reader gets: every field, present or defaulted. */
export type Decoded<F extends Fields> = {
  -readonly [Name in keyof F]: F[Name] extends Field<infer Value, boolean> ? Value : never
}

type OptionalNames<F extends Fields> = {
  [Name in keyof F]: F[Name] extends Field<unknown, infer Optional>
    ? Optional extends true
      ? Name
      : never
    : never
}[keyof F]

type InputOf<F> = F extends Field<infer Value, boolean> ? InputValue<Value> : never

/**
 * What a writer takes where a reader gets `Value`: structs without what may be left out, bytes also
 * as chunks that are sent one after another.
 */
type InputValue<Value> =
  Value extends DecodedStruct<infer F>
    ? Encodable<F>
    : Value extends readonly (infer Element)[]
      ? Element extends DecodedStruct<infer F>
        ? readonly Encodable<F>[]
        : readonly Element[]
      : Value extends Buffer
        ? Uint8Array | readonly Uint8Array[]
        : Value

/**
 * `' fields'` is for the type checker alone. A unique symbol would be nicer, but declarations that other files export
 * could not name it.
 */
type DecodedStruct<F extends Fields> = Decoded<F> & { readonly ' fields'?: F }

/** What a writer takes: fields of later versions, tagged ones and those with a default may be absent. */
export type Encodable<F extends Fields> = {
  readonly [Name in Exclude<keyof F, OptionalNames<F>>]: InputOf<F[Name]>
} & {
  readonly [Name in OptionalNames<F>]?: InputOf<F[Name]> | undefined
}

function primitive<Value>(kind: Primitive) {
  return <const Versions extends string, const Options extends FieldOptions = object>(
    versions: Versions,
    options?: Options,
  ): Field<OrNull<Value, Options>, LeftOut<Versions, Options>> => ({
    type: { kind },
    versions,
    options: options ?? {},
  })
}

export const bool = primitive<boolean>('bool')
export const int8 = primitive<number>('int8')
export const int16 = primitive<number>('int16')
export const uint16 = primitive<number>('uint16')
export const int32 = primitive<number>('int32')
/** A 64-bit integer; only those that a number holds exactly can be read or written. */
export const int64 = primitive<number>('int64')
export const float64 = primitive<number>('float64')
export const string = primitive<string>('string')
/** A view into the buffer that was read. */
export const bytes = primitive<Buffer>('bytes')
/** Record batches: a view into the buffer that was read; written without copying. */
export const records = primitive<Buffer>('records')
/** A UUID in Kafka's own text form, 22 characters of base64url. */
export const uuid = primitive<string>('uuid')

/** A struct within a message. */
export function struct<
  const F extends Fields,
  const Versions extends string,
  const Options extends FieldOptions = object,
>(
  versions: Versions,
  fields: F,
  options?: Options,
): Field<OrNull<DecodedStruct<F>, Options>, LeftOut<Versions, Options>> {
  return { type: { kind: 'struct', fields }, versions, options: options ?? {} }
}

/** An array of structs. */
export function array<
  const F extends Fields,
  const Versions extends string,
  const Options extends FieldOptions = object,
>(
  versions: Versions,
  fields: F,
  options?: Options,
): Field<OrNull<DecodedStruct<F>[], Options>, LeftOut<Versions, Options>> {
  return {
    type: { kind: 'array', element: { kind: 'struct', fields } },
    versions,
    options: options ?? {},
  }
}

type PrimitiveValue<Kind extends Primitive> = Kind extends 'bool'
  ? boolean
  : Kind extends 'string' | 'uuid'
    ? string
    : Kind extends 'bytes' | 'records'
      ? Buffer
      : number

/** An array of a primitive type. */
export function list<
  const Kind extends Primitive,
  const Versions extends string,
  const Options extends FieldOptions = object,
>(
  versions: Versions,
  element: Kind,
  options?: Options,
): Field<OrNull<PrimitiveValue<Kind>[], Options>, LeftOut<Versions, Options>> {
  return { type: { kind: 'array', element: { kind: element } }, versions, options: options ?? {} }
}
