import { saslAuthenticateApi, saslHandshakeApi } from '../../src/protocol/index.ts'
import type { WireClient } from '../../src/testing/wire-client.ts'

/** Logs in with PLAIN on a connection. */
export async function login(
  client: WireClient,
  as: { readonly user: string; readonly password: string },
): Promise<void> {
  await client.request(saslHandshakeApi, 1, { mechanism: 'PLAIN' })
  const authBytes = Buffer.from(`\0${as.user}\0${as.password}`)
  const answer = await client.request(saslAuthenticateApi, 2, { authBytes })
  if (answer.errorCode !== 0) throw new Error(`${as.user} was refused: ${answer.errorMessage}`)
}
