import { defineApi } from '../wire/api.ts'
import { int16, list, string } from '../wire/field.ts'

/** Chooses the SASL mechanism of a connection. */
export const saslHandshakeApi = defineApi({
  key: 17,
  name: 'SaslHandshake',
  versions: '0-1',
  flexible: 'none',
  request: {
    mechanism: string('0+'),
  },
  response: {
    errorCode: int16('0+'),
    mechanisms: list('0+', 'string'),
  },
})
