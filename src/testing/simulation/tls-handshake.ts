import { X509Certificate } from 'node:crypto'
import type { TlsClientOptions, TlsServerOptions } from '../../platform/index.ts'

/** How a handshake goes, for both sides. */
export interface Handshake {
  readonly encrypted: boolean
  /** The verified names, as the other side sees them. */
  readonly clientName: string | undefined
  readonly serverName: string | undefined
  /** Why the client gives up. Then the server sees no connection. */
  readonly clientRefuses: string | undefined
  /** Why the server hangs up on a client that may believe to be connected. */
  readonly serverRefuses: string | undefined
}

/**
 * A TLS handshake without the cryptography: who shows which certificate, and who accepts it. The
 * bytes of the connection stay as they are. Dates of certificates are not looked at.
 */
export function shakeHands(
  client: TlsClientOptions | undefined,
  server: TlsServerOptions | undefined,
): Handshake {
  if (client === undefined || server === undefined) {
    return {
      ...plain,
      clientRefuses: client && 'the other side does not speak TLS',
      serverRefuses: server && 'it does not speak TLS',
    }
  }
  const shown = new X509Certificate(server.certificate)
  const clientRefuses = objectionToServer(shown, client)
  const clientShows = client.certificate && new X509Certificate(client.certificate)
  const isKnown =
    clientShows !== undefined &&
    clientShows !== '' &&
    server.clientCertificate !== 'none' &&
    isSignedBy(clientShows, server.authorities)
  const mustBeKnown = server.clientCertificate === 'required'
  return {
    encrypted: true,
    clientName: isKnown ? distinguishedName(clientShows) : undefined,
    serverName: distinguishedName(shown),
    clientRefuses,
    serverRefuses: mustBeKnown && !isKnown ? 'its certificate is not accepted' : undefined,
  }
}

const plain: Handshake = {
  encrypted: false,
  clientName: undefined,
  serverName: undefined,
  clientRefuses: undefined,
  serverRefuses: undefined,
}

function objectionToServer(
  shown: X509Certificate,
  { serverName, authorities }: TlsClientOptions,
): string | undefined {
  if (!isSignedBy(shown, authorities)) return 'the certificate is signed by nobody it knows'
  const isAddress = /^[\d.]+$|:/.test(serverName)
  const match = isAddress ? shown.checkIP(serverName) : shown.checkHost(serverName)
  return match === undefined ? `the certificate is not valid for ${serverName}` : undefined
}

function isSignedBy(shown: X509Certificate, authorities: readonly string[] = []): boolean {
  return authorities.some((text) => {
    const authority = new X509Certificate(text)
    return shown.checkIssued(authority) && shown.verify(authority.publicKey)
  })
}

/** As the real world writes it. */
function distinguishedName({ subject }: X509Certificate): string {
  return subject.split('\n').reverse().join(',').replaceAll(' + ', '+')
}
