import { kafkaError, saslHandshakeApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

/**
 * SaslHandshake 0-1: chooses a mechanism. After version 0 the mechanism's messages come as bare
 * frames, after version 1 in SaslAuthenticate. A mechanism that is not offered, or a second choice, is
 * answered with an error, which is the last answer of its connection; after a login that does not expire,
 * or where nobody need log in, the connection goes on.
 */
export const saslHandshake = defineHandler({
  api: saslHandshakeApi,
  versions: [0, 1],
  handle(request, { session, header }) {
    const result = session.handshake(request.mechanism, header.version === 0)
    const errorCode = {
      chosen: kafkaError.NONE,
      unsupported: kafkaError.UNSUPPORTED_SASL_MECHANISM,
      'out-of-order': kafkaError.ILLEGAL_SASL_STATE,
    }[result]
    return { errorCode, mechanisms: [...session.mechanisms] }
  },
})
