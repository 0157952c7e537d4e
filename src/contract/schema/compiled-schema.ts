/** A schema that is ready for use. */
export interface CompiledSchema {
  /**
   * Answers what the schema makes of `data`, or throws a `ContractViolation` whose path begins at
   * `path`. A promise where the schema is asynchronous. Whatever else it throws is no fault of the data.
   */
  apply(data: unknown, path: string): unknown
  /** The JSON Schema, where there is one to show. */
  readonly jsonSchema: object | undefined
  /** Whether `apply` may answer other data than it was given. */
  readonly transforms: boolean
}

/** Data without a schema is taken as it is. */
export const anything: CompiledSchema = {
  apply: (data) => data,
  jsonSchema: undefined,
  transforms: false,
}
