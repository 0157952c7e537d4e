import type { Static, TSchema } from 'typebox'
import type { StandardSchema } from './standard-schema.ts'

declare const declaredType: unique symbol

/** A JSON Schema whose TypeScript type is declared beside it. */
export interface JsonSchema<Data> {
  readonly [declaredType]?: Data
}

/**
 * A plain JSON Schema, as it may come from a file, and the type that it describes.
 *
 * @example
 * const schema = jsonSchema<{ sku: string }>({
 *   type: 'object', required: ['sku'], properties: { sku: { type: 'string' } },
 * })
 */
export function jsonSchema<Data>(schema: object): JsonSchema<Data> {
  return schema
}

/** What describes data: TypeBox, JSON Schema, or any Standard Schema. */
export type EventSchema = TSchema | JsonSchema<unknown> | StandardSchema<unknown, unknown>

/** The data that a schema accepts, and that is written. */
export type SchemaInput<Schema> =
  Schema extends StandardSchema<infer Input, unknown>
    ? Input
    : Schema extends { readonly [declaredType]?: infer Data }
      ? typeof declaredType extends keyof Schema
        ? Data
        : SchemaStatic<Schema>
      : SchemaStatic<Schema>

/** The data that a schema makes of what was read, and that a handler gets. */
export type SchemaOutput<Schema> =
  Schema extends StandardSchema<unknown, infer Output> ? Output : SchemaInput<Schema>

type SchemaStatic<Schema> = Schema extends TSchema ? Static<Schema> : never
