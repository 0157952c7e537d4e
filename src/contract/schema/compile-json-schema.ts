import { Ajv } from 'ajv'
import type { ErrorObject, ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { ContractViolation } from '../contract-error.ts'
import type { CompiledSchema } from './compiled-schema.ts'
import { pathTo, shown } from './shown.ts'

let sharedAjv: Ajv | undefined

/**
 * The one compiler, made when it is first needed: making it takes longer than compiling. Schemas are not
 * kept by their `$id`, so that two events may use schemas of the same one. The first error ends the
 * validation: to collect all of them is how a hostile value makes a validator run for minutes.
 */
function ajv(): Ajv {
  if (sharedAjv !== undefined) return sharedAjv
  const made = new Ajv({
    strict: true,
    allowUnionTypes: true,
    // Parts of an intersection require what another part declares.
    strictRequired: false,
    verbose: true,
    addUsedSchema: false,
  })
  formats.default(made)
  return (sharedAjv = made)
}

/** A JSON Schema, compiled. Throws what Ajv throws when it is none. */
export function compileJsonSchema(schema: object): CompiledSchema {
  const validate: ValidateFunction = ajv().compile(schema)
  return {
    apply(data, path) {
      if (validate(data)) return data
      throw violation(validate.errors?.[0], path)
    },
    jsonSchema: schema,
    transforms: false,
  }
}

function violation(error: ErrorObject | undefined, path: string): ContractViolation {
  if (error === undefined) return new ContractViolation('data-invalid', 'is invalid', { path })
  return new ContractViolation('data-invalid', `${error.message ?? 'is invalid'}${detail(error)}`, {
    path: pathTo(path, stepsOf(error.instancePath)),
    rule: error.keyword,
    shown: shown(error.data),
  })
}

/** What the message of a rule leaves out. */
function detail({ keyword, params }: ErrorObject): string {
  const given = params as Record<string, unknown>
  if (keyword === 'enum' && Array.isArray(given['allowedValues'])) {
    const allowed = given['allowedValues'].slice(0, 10).map(shown).join(', ')
    return `: ${allowed}${given['allowedValues'].length > 10 ? ', …' : ''}`
  }
  if (keyword === 'const') return `: ${shown(given['allowedValue'])}`
  if (keyword === 'additionalProperties') return `: ${shown(given['additionalProperty'])}`
  return ''
}

/** The steps of a JSON pointer (RFC 6901). */
function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}
