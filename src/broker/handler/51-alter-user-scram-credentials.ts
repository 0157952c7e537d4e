import { alterUserScramCredentialsApi } from '../../protocol/index.ts'
import type { RequestOf } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import {
  formatScramCredential,
  scramCredentialOfSalted,
  scramIterationsMax,
  scramIterationsMin,
} from '../security/scram-credential.ts'
import type { ScramMechanism } from '../security/scram-credential.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { scramMechanismByCode } from './scram-mechanism.ts'

type Request = RequestOf<typeof alterUserScramCredentialsApi>

/** What a request does to one user: the stored text of a credential, or null to take it away. */
interface Alteration {
  readonly mechanism: ScramMechanism
  readonly credential: string | null
}

/**
 * AlterUserScramCredentials 0: sets or takes away credentials; a request may name each user once.
 * The client sends the salted password, never the password itself.
 */
export const alterUserScramCredentials = defineHandler({
  api: alterUserScramCredentialsApi,
  versions: [0, 0],
  async handle(request, { broker: { cluster } }) {
    const results = await inAdministrationTurn(cluster, () => {
      const alterations = alterationsOf(request, cluster)
      return Promise.all(
        Array.from(alterations, async ([user, alteration]) => {
          if (isRefusal(alteration)) return { user, ...refusalFields(alteration) }
          await alter(user, alteration, cluster)
          return { user, ...refusalFields(undefined) }
        }),
      )
    })
    return { throttleTimeMs: 0, results }
  },
})

function alterationsOf(
  { deletions, upsertions }: Request,
  cluster: Cluster,
): ReadonlyMap<string, Alteration | Refusal> {
  const byUser = new Map<string, Alteration | Refusal>()
  const add = (user: string, alteration: () => Alteration | Refusal) => {
    const earlier = byUser.get(user)
    if (isRefusal(earlier)) return
    byUser.set(user, earlier === undefined ? alteration() : refuseRepeated(user))
  }
  for (const deletion of deletions) add(deletion.name, () => deletionOf(deletion, cluster))
  for (const upsertion of upsertions) add(upsertion.name, () => upsertionOf(upsertion))
  return byUser
}

function refuseRepeated(user: string): Refusal {
  return refuse('DUPLICATE_RESOURCE', `the request names user '${user}' twice`)
}

function deletionOf(
  { name, mechanism: code }: Request['deletions'][number],
  cluster: Cluster,
): Alteration | Refusal {
  const mechanism = mechanismFor(name, code)
  if (typeof mechanism !== 'string') return mechanism
  if (!cluster.dynamicSettings('scram', name).has(mechanism)) {
    return refuse('RESOURCE_NOT_FOUND', `user '${name}' has no credential for ${mechanism}`)
  }
  return { mechanism, credential: null }
}

function upsertionOf({
  name,
  mechanism: code,
  iterations,
  salt,
  saltedPassword,
}: Request['upsertions'][number]): Alteration | Refusal {
  const mechanism = mechanismFor(name, code)
  if (typeof mechanism !== 'string') return mechanism
  if (iterations < scramIterationsMin || iterations > scramIterationsMax) {
    const allowed = `from ${scramIterationsMin} to ${scramIterationsMax}`
    return refuse('UNACCEPTABLE_CREDENTIAL', `iterations (${iterations}) must be ${allowed}`)
  }
  const credential = scramCredentialOfSalted(mechanism, saltedPassword, salt, iterations)
  return { mechanism, credential: formatScramCredential(credential) }
}

function mechanismFor(user: string, code: number): ScramMechanism | Refusal {
  if (user === '') return refuse('UNACCEPTABLE_CREDENTIAL', 'a user must have a name')
  const problem = `mechanism (${code}) must be 1 (SCRAM-SHA-256) or 2 (SCRAM-SHA-512)`
  return scramMechanismByCode(code) ?? refuse('UNSUPPORTED_SASL_MECHANISM', problem)
}

async function alter(
  user: string,
  { mechanism, credential }: Alteration,
  cluster: Cluster,
): Promise<void> {
  const next = new Map(cluster.dynamicSettings('scram', user))
  if (credential === null) next.delete(mechanism)
  else next.set(mechanism, credential)
  await cluster.setDynamicSettings('scram', user, next)
}
