import { ContractViolation } from '../contract-error.ts'
import type { CompiledSchema } from './compiled-schema.ts'
import { oneLine, pathTo, shown } from './shown.ts'
import type { StandardIssue, StandardResult, StandardSchema } from './standard-schema.ts'

/** A Standard Schema, ready for use. */
export function compileStandardSchema(
  schema: StandardSchema<unknown, unknown>,
  jsonSchema: object | undefined,
): CompiledSchema {
  const properties = schema['~standard']
  return {
    apply(data, path) {
      const result = properties.validate(data)
      return result instanceof Promise
        ? result.then((settled) => outcome(settled, data, path))
        : outcome(result, data, path)
    },
    jsonSchema,
    transforms: true,
  }
}

function outcome(result: StandardResult<unknown>, data: unknown, path: string): unknown {
  if (result.issues === undefined) return result.value
  const [issue = { message: 'is refused by its schema' }] = result.issues
  const steps = stepsOf(issue)
  throw new ContractViolation('data-invalid', 'is invalid', {
    path: pathTo(path, steps),
    shown: shown(valueAt(data, steps)),
    detail: oneLine(issue.message),
  })
}

function stepsOf(issue: StandardIssue): readonly PropertyKey[] {
  return (issue.path ?? []).map((step) => (typeof step === 'object' ? step.key : step))
}

function valueAt(data: unknown, steps: readonly PropertyKey[]): unknown {
  let value = data
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<PropertyKey, unknown>)[step]
  }
  return value
}
