import { MillraceError } from '../errors.ts'
import type { ErrorCode, MillraceErrorOptions } from '../errors.ts'
import { oneLine } from './schema/shown.ts'

/** The codes of what is wrong with a record. */
export type ContractErrorCode = Extract<ErrorCode, `MILLRACE_CONTRACT_${string}`>

/** What exactly is wrong, for counting and for tests; a code covers several of these. */
export type ContractProblem =
  | 'value-too-large'
  | 'invalid-utf8'
  | 'invalid-json'
  | 'too-deep'
  | 'forbidden-key'
  | 'duplicate-key'
  | 'unsafe-integer'
  | 'not-encodable'
  | 'envelope'
  | 'event-id'
  | 'event-type-missing'
  | 'event-type-unknown'
  | 'event-type-conflict'
  | 'version-malformed'
  | 'version-unknown'
  | 'upcast-failed'
  | 'content-type-unknown'
  | 'data-invalid'
  | 'key-invalid'
  | 'header-invalid'
  | 'null-value'
  | 'null-key'

const codeOf = {
  'value-too-large': 'MILLRACE_CONTRACT_TOO_LARGE',
  'invalid-utf8': 'MILLRACE_CONTRACT_MALFORMED',
  'invalid-json': 'MILLRACE_CONTRACT_MALFORMED',
  'too-deep': 'MILLRACE_CONTRACT_MALFORMED',
  'forbidden-key': 'MILLRACE_CONTRACT_MALFORMED',
  'duplicate-key': 'MILLRACE_CONTRACT_MALFORMED',
  'unsafe-integer': 'MILLRACE_CONTRACT_MALFORMED',
  'not-encodable': 'MILLRACE_CONTRACT_MALFORMED',
  envelope: 'MILLRACE_CONTRACT_MALFORMED',
  'event-id': 'MILLRACE_CONTRACT_MALFORMED',
  'event-type-missing': 'MILLRACE_CONTRACT_TYPE_UNKNOWN',
  'event-type-unknown': 'MILLRACE_CONTRACT_TYPE_UNKNOWN',
  'event-type-conflict': 'MILLRACE_CONTRACT_MALFORMED',
  'version-malformed': 'MILLRACE_CONTRACT_VERSION_UNKNOWN',
  'version-unknown': 'MILLRACE_CONTRACT_VERSION_UNKNOWN',
  'upcast-failed': 'MILLRACE_CONTRACT_INVALID',
  'content-type-unknown': 'MILLRACE_CONTRACT_CONTENT_TYPE_UNKNOWN',
  'data-invalid': 'MILLRACE_CONTRACT_INVALID',
  'key-invalid': 'MILLRACE_CONTRACT_INVALID',
  'header-invalid': 'MILLRACE_CONTRACT_MALFORMED',
  'null-value': 'MILLRACE_CONTRACT_MALFORMED',
  'null-key': 'MILLRACE_CONTRACT_MALFORMED',
} as const satisfies Record<ContractProblem, ContractErrorCode>

export interface ContractErrorOptions extends ErrorOptions {
  /** Topic and event, with which the message begins. */
  readonly source?: string
  /** Where in the value, as in `data.products[0].price`; absent: the record as a whole. */
  readonly path?: string
  /** The rule of the schema that does not hold, as in `minimum`. */
  readonly rule?: string
  /** What stands there, cut: may be personal, so it is in the message and never in `summary`. */
  readonly shown?: string
  /** More about it in somebody else's words, which may also quote what stands there. */
  readonly detail?: string
}

/** What is wrong with a record: thrown while it is read or written, and never worth a retry. */
export abstract class ContractError extends MillraceError {
  declare readonly code: ContractErrorCode
  readonly reason: ContractProblem
  /** Where in the value, as in `data.products[0].price`; empty for the record as a whole. */
  readonly path: string
  /** The rule of the schema that does not hold, where there is one. */
  readonly rule: string | undefined
  /** The message without the value that was found: fit for logs. */
  readonly summary: string

  constructor(reason: ContractProblem, problem: string, options: ContractErrorOptions = {}) {
    const { source, path = '', rule, shown, detail, ...rest } = options
    const where = `${source === undefined ? '' : `${source}: `}${path === '' ? '' : `${path} `}`
    const value = shown === undefined ? '' : `(${shown}) `
    const more = detail === undefined ? '' : `: ${detail}`
    super(codeOf[reason], `${where}${value}${problem}${more}`, rest satisfies MillraceErrorOptions)
    this.reason = reason
    this.path = path
    this.rule = rule
    this.summary = `${where}${problem}`
  }
}

/** A record that was read does not keep to its contract: the same bytes will never be accepted. */
export class DecodeError extends ContractError {}

/** What was to be written does not keep to its contract; nothing has been sent. */
export class EncodeError extends ContractError {}

/**
 * What codecs and schemas throw for what is wrong with a value: it becomes a `DecodeError` or an
 * `EncodeError` where the record is known.
 */
export class ContractViolation extends Error {
  readonly reason: ContractProblem
  readonly problem: string
  readonly options: ContractErrorOptions

  constructor(reason: ContractProblem, problem: string, options: ContractErrorOptions = {}) {
    super(problem)
    this.reason = reason
    this.problem = problem
    this.options = options
  }

  /** The error that it is: of a record of `topic` and, as far as it is known, of which event. */
  in<Thrown extends ContractError>(
    errorClass: new (
      reason: ContractProblem,
      problem: string,
      options: ContractErrorOptions,
    ) => Thrown,
    topic: string,
    eventType: string | undefined,
  ): Thrown {
    const source = eventType === undefined ? topic : `${topic} ${oneLine(eventType)}`
    return new errorClass(this.reason, this.problem, { ...this.options, source })
  }
}
