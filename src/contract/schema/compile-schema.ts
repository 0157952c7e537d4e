import { OptionError } from '../../errors.ts'
import type { CompiledSchema } from './compiled-schema.ts'
import { compileJsonSchema } from './compile-json-schema.ts'
import { compileStandardSchema } from './compile-standard-schema.ts'
import { isStandardSchema } from './standard-schema.ts'

/** Makes a schema ready for use; `option` says where it stands. */
export function compileSchema(
  schema: unknown,
  option: string,
  shownSchema?: object,
): CompiledSchema {
  if (isStandardSchema(schema)) return compileStandardSchema(schema, shownSchema)
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw new OptionError(option, 'must be a TypeBox schema, a JSON Schema or a Standard Schema')
  }
  try {
    return compileJsonSchema(schema)
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new OptionError(option, `cannot be compiled: ${problem}`, { cause: error })
  }
}
