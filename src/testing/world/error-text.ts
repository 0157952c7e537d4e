import { inspect } from 'node:util'

/** What was thrown, whatever it is, in one line. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return `${error.name}: ${error.message}`
  return typeof error === 'string' ? error : inspect(error, { depth: 0, breakLength: Infinity })
}
