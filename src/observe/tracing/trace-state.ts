import type { TraceState } from '@opentelemetry/api'

/**
 * The list of a `tracestate` header, as OpenTelemetry passes it around. What is not changed is handed on as it came.
 *
 *     tracestate = key "=" value *( "," key "=" value )
 */
export class HeaderTraceState implements TraceState {
  readonly #members: readonly string[]

  constructor(header: string) {
    this.#members = header
      .split(',')
      .map((member) => member.trim())
      .filter((member) => member.includes('='))
  }

  get(key: string): string | undefined {
    return this.#members.find((member) => member.startsWith(`${key}=`))?.slice(key.length + 1)
  }

  /** What was changed last stands first. */
  set(key: string, value: string): TraceState {
    return new HeaderTraceState([`${key}=${value}`, ...this.#without(key)].join(','))
  }

  unset(key: string): TraceState {
    return new HeaderTraceState(this.#without(key).join(','))
  }

  serialize(): string {
    return this.#members.join(',')
  }

  #without(key: string): readonly string[] {
    return this.#members.filter((member) => !member.startsWith(`${key}=`))
  }
}
