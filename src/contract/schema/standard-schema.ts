/**
 * The interface by which schema libraries are used without knowing them, version 1:
 * https://standardschema.dev. Zod, Valibot, ArkType and others implement it.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardProperties<Input, Output>
}

export interface StandardProperties<Input, Output> {
  readonly version: 1
  /** Which library this is. */
  readonly vendor: string
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
  /** For the type checker alone. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Whether something implements Standard Schema; some do it with functions. */
export function isStandardSchema(given: unknown): given is StandardSchema<unknown, unknown> {
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null) return false
  const properties = (given as Partial<StandardSchema>)['~standard']
  return typeof properties === 'object' && typeof properties.validate === 'function'
}
