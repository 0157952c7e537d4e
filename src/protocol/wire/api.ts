import type { Fields } from './field.ts'
import { Message } from './message.ts'
import type { DecodedMessage, MessageInput } from './message.ts'
import { versionRange } from './versions.ts'
import type { VersionRange } from './versions.ts'

/** A request of the protocol and its response: Kafka's key for it, its versions, its messages. */
export interface Api<Request extends Fields = Fields, Response extends Fields = Fields> {
  readonly key: number
  readonly name: string
  readonly versions: VersionRange
  readonly request: Message<Request>
  readonly response: Message<Response>
  /** 1, or 2 with tagged fields. */
  requestHeaderVersion(version: number): 1 | 2
  /** 0, or 1 with tagged fields. ApiVersions stays at 0: a client must read it before it knows more (KIP-511). */
  responseHeaderVersion(version: number): 0 | 1
}

interface ApiDeclaration<Request extends Fields, Response extends Fields> {
  readonly key: number
  readonly name: string
  readonly versions: string
  readonly flexible: string
  readonly request: Request
  readonly response: Response
}

const apiVersionsKey = 18

/** Declares an API; see `field.ts` for the vocabulary of its messages. */
export function defineApi<const Request extends Fields, const Response extends Fields>(
  declaration: ApiDeclaration<Request, Response>,
): Api<Request, Response> {
  const { key, name, versions, flexible } = declaration
  const request = new Message(`${name}Request`, versions, flexible, declaration.request)
  const response = new Message(
    `${name}Response`,
    versions,
    flexible,
    declaration.response,
    'left-out',
  )
  return {
    key,
    name,
    versions: versionRange(versions),
    request,
    response,
    requestHeaderVersion: (version) => (request.isFlexible(version) ? 2 : 1),
    responseHeaderVersion: (version) =>
      response.isFlexible(version) && key !== apiVersionsKey ? 1 : 0,
  }
}

/** What a reader of the API's request gets. */
export type RequestOf<A extends Api> = DecodedMessage<A['request']>
/** What a reader of the API's response gets. */
export type ResponseOf<A extends Api> = DecodedMessage<A['response']>
/** What a writer of the API's request takes. */
export type RequestInput<A extends Api> = MessageInput<A['request']>
/** What a writer of the API's response takes. */
export type ResponseInput<A extends Api> = MessageInput<A['response']>
