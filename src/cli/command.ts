import type { OptionDeclaration, ParsedArguments } from './arguments.ts'

/** A command of `millrace`. */
export interface Command {
  readonly name: string
  /** One line, for the list of commands. */
  readonly summary: string
  readonly options: readonly OptionDeclaration[]
  /** Command lines that work as they stand. */
  readonly examples: readonly string[]
  run(given: ParsedArguments): Promise<void>
}
