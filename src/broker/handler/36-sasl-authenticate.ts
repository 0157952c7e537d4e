import { kafkaError, saslAuthenticateApi } from '../../protocol/index.ts'
import { defineHandler } from './handler.ts'

const noBytes = Buffer.alloc(0)

/**
 * SaslAuthenticate 0-2: carries the messages of the mechanism that was chosen. A refusal is the last
 * answer of its connection; a login where nobody need log in, or again, is answered with an error.
 * Version 1 and later tell within what time the client must log in again (KIP-368).
 */
export const saslAuthenticate = defineHandler({
  api: saslAuthenticateApi,
  versions: [0, 2],
  handle(request, { session }) {
    const answer = session.authenticate(request.authBytes)
    if (answer === undefined) {
      const errorMessage = 'SaslAuthenticate came where no mechanism waits for a message'
      return { errorCode: kafkaError.ILLEGAL_SASL_STATE, errorMessage, authBytes: noBytes }
    }
    if (answer.kind === 'refused') {
      return {
        errorCode: kafkaError.SASL_AUTHENTICATION_FAILED,
        errorMessage: answer.message,
        authBytes: noBytes,
      }
    }
    const { bytes: authBytes, sessionLifetimeMs } = answer
    return { errorCode: kafkaError.NONE, errorMessage: null, authBytes, sessionLifetimeMs }
  },
})
