import { kafkaError, saslAuthenticateApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

/**
 * SaslAuthenticate 0-2: carries the messages of the mechanism that was chosen. After a refusal the
 * connection answers nothing more.
 */
export const saslAuthenticate = defineHandler({
  api: saslAuthenticateApi,
  versions: [0, 2],
  handle(request, { session }) {
    const answer = session.authenticate(request.authBytes)
    if (answer === undefined) {
      const errorMessage = 'SaslAuthenticate came before SaslHandshake had chosen a mechanism'
      return { errorCode: kafkaError.ILLEGAL_SASL_STATE, errorMessage, authBytes: Buffer.alloc(0) }
    }
    if (answer.kind === 'refused') {
      return {
        errorCode: kafkaError.SASL_AUTHENTICATION_FAILED,
        errorMessage: answer.message,
        authBytes: Buffer.alloc(0),
      }
    }
    return { errorCode: kafkaError.NONE, errorMessage: null, authBytes: answer.bytes }
  },
})
