import { FrameError } from '../../protocol/index.ts'

const tlsHandshake = 0x16
const httpMethods = ['GET ', 'POST', 'PUT ', 'HEAD', 'OPTI', 'DELE', 'PATC', 'CONN', 'TRAC', 'PRI ']

/** Says why the bytes of a connection are no requests, and what they look like if that can be told. */
export function describeStranger(error: unknown): string {
  if (!(error instanceof FrameError)) return error instanceof Error ? error.message : String(error)
  const { head } = error
  if (head[0] === tlsHandshake && head[1] === 3) {
    return 'a TLS handshake came to a listener without TLS'
  }
  if (httpMethods.includes(head.toString('latin1', 0, 4))) {
    return 'an HTTP request came to a Kafka listener'
  }
  return `${error.message} (socket.request.max.bytes)`
}
