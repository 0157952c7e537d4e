import type { Log, LogLevel } from '../../observe/index.ts'
import {
  apiVersionsApi,
  encodeResponse,
  finishRequestHeader,
  kafkaError,
  Reader,
  readRequestHeader,
} from '../../protocol/index.ts'
import type { Api, RequestHeader } from '../../protocol/index.ts'
import { unrestrictedAccess } from '../authorization/access.ts'
import type { Broker, Handler, RequestContext } from '../handler/handler.ts'
import type { Users } from '../security/users.ts'
import type { Reply, RequestReceiver } from './connection.ts'
import { closeConnection } from './interception.ts'
import type { Interceptors, Outcome } from './interception.ts'
import type { Session } from './session.ts'

interface DispatcherOptions {
  readonly broker: Broker
  readonly nodeId: number
  readonly handlers: ReadonlyMap<number, Handler>
  readonly interceptors: Interceptors
  readonly users: Users | undefined
  readonly log: Log
}

type Encoded = readonly Uint8Array[] | 'nothing' | 'close'

/** Why a connection is closed instead of answered. */
class Unanswerable extends Error {
  override readonly name = 'Unanswerable'
}

/**
 * Turns a frame into a reply: reads the header, finds the handler, checks the version and whether
 * the client may ask, decodes, runs the interceptors and the handler, encodes.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions

  constructor(options: DispatcherOptions) {
    this.#options = options
  }

  /** What receives the frames of one connection. */
  receiver(session: Session): RequestReceiver {
    return (frame, proceed, keptNothing) => {
      try {
        if (session.expectsBareFrame) return this.#bareSaslReply(session, frame)
        const reply = this.#reply(frame, session, proceed, keptNothing)
        return reply instanceof Promise
          ? reply.catch((error: unknown) => this.#failed(error, session))
          : reply
      } catch (error) {
        return this.#failed(error, session)
      }
    }
  }

  #reply(
    frame: Buffer,
    session: Session,
    proceed: () => void,
    keptNothing: () => void,
  ): Reply | Promise<Reply> {
    const reader = new Reader(frame)
    const header = readRequestHeader(reader)
    const handler = this.#options.handlers.get(header.key)
    if (handler === undefined) throw new Unanswerable(`API key ${header.key} is not known`)
    const { api, versions } = handler
    const untimely = session.refuseRequest(header.key)
    if (untimely !== undefined) throw new Unanswerable(`${api.name} ${untimely}`)
    if (header.version < versions[0] || header.version > versions[1]) {
      return this.#unsupportedVersion(handler, header)
    }
    finishRequestHeader(reader, api, header.version)
    const body = api.request.read(reader, header.version)
    const context = this.#context(header, session, proceed, keptNothing)
    const outcome = this.#options.interceptors.active
      ? this.#intercepted(handler, body, context)
      : handler.handle(body, context)
    if (outcome instanceof Promise) {
      return outcome.then((value) => this.#final(encoded(handler, header, value), session))
    }
    return this.#final(encoded(handler, header, outcome), session)
  }

  /** The answer to a login that was refused is the last of its connection. */
  #final(reply: Encoded, session: Session): Reply {
    if (session.refusal === undefined) return reply
    this.#logClosing('warn', session.refusal, session)
    return typeof reply === 'string' ? 'close' : { last: reply }
  }

  /** Before KIP-152 the messages of a SASL mechanism came as bare frames, without any header. */
  #bareSaslReply(session: Session, frame: Buffer): Reply {
    const answer = session.authenticate(frame)
    if (answer?.kind !== 'go-on') return this.#final('close', session)
    const size = Buffer.alloc(4)
    size.writeInt32BE(answer.bytes.length)
    return [size, answer.bytes]
  }

  #context(
    header: RequestHeader,
    session: Session,
    proceed: () => void,
    keptNothing: () => void,
  ): RequestContext {
    const { broker, nodeId, users, interceptors } = this.#options
    const clientId = header.clientId ?? ''
    const access =
      broker.authorizer?.accessOf(session.principal, session.clientAddress) ?? unrestrictedAccess
    // Interceptors see requests and answers, and may keep what they see.
    const isSeen = interceptors.active
    return {
      broker,
      nodeId,
      users,
      header,
      clientId,
      peer: session,
      session,
      access,
      proceed,
      keptNothing: isSeen ? () => undefined : keptNothing,
      readBuffers: isSeen ? undefined : broker.buffers?.reads,
    }
  }

  #intercepted(handler: Handler, body: object, context: RequestContext): Promise<Outcome> {
    const { api } = handler
    const request = {
      apiKey: api.key,
      apiName: api.name,
      version: context.header.version,
      clientId: context.clientId,
      principal: context.peer.principal,
      nodeId: context.nodeId,
      body,
    }
    return this.#options.interceptors.run(request, async () =>
      handler.handle(body as Parameters<Handler['handle']>[0], context),
    )
  }

  /**
   * A client that asks ApiVersions in a version from the future gets the oldest form, error 35 and
   * the versions that it may ask in (KIP-511). To any other request nothing could be answered that
   * the client would understand.
   */
  #unsupportedVersion(handler: Handler, header: RequestHeader): Reply {
    const { api, versions } = handler
    if (api.key !== apiVersionsApi.key) {
      throw new Unanswerable(
        `${api.name} version ${header.version} is not served (${versions[0]} to ${versions[1]} are)`,
      )
    }
    const apiKeys = this.#options.broker.served.map(({ key, versions: [first, last] }) => ({
      apiKey: key,
      minVersion: first,
      maxVersion: last,
    }))
    const body = { errorCode: kafkaError.UNSUPPORTED_VERSION, apiKeys }
    return encodeResponse(apiVersionsApi, 0, header.correlationId, body)
  }

  #failed(error: unknown, session: Session): Reply {
    const expected = error instanceof Unanswerable || isProtocolError(error)
    const reason = error instanceof Error ? error.message : String(error)
    const stack = !expected && error instanceof Error ? error.stack : undefined
    this.#logClosing(expected ? 'warn' : 'error', reason, session, stack)
    return 'close'
  }

  /** One line a connection: nothing of it is taken after this. */
  #logClosing(level: LogLevel, reason: string, session: Session, stack?: string): void {
    this.#options.log(level, `closed a connection: ${reason}`, {
      client: session.clientHost,
      node: this.#options.nodeId,
      ...(stack === undefined ? {} : { stack }),
    })
  }
}

function isProtocolError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ProtocolError'
}

function encoded(handler: Handler, header: RequestHeader, outcome: Outcome): Encoded {
  if (outcome === closeConnection) return 'close'
  if (outcome === undefined) return 'nothing'
  const api: Api = handler.api
  return encodeResponse(api, header.version, header.correlationId, outcome)
}
