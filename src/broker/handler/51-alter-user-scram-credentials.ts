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
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { scramMechanismByCode } from './scram-mechanism.ts'

type Request = RequestOf<typeof alterUserScramCredentialsApi>
type Context = Pick<RequestContext, 'broker' | 'users'>

/** What a request does to one user: the stored text of a credential, or null to take it away. */
interface Alteration {
  readonly mechanism: ScramMechanism
  readonly credential: string | null
}

/**
 * AlterUserScramCredentials 0: sets or takes away credentials; a request may name each user once.
 * The client sends the salted password, never the password itself. What is set for a user that the
 * broker was started with hides that password from SCRAM until it is taken away again.
 */
export const alterUserScramCredentials = defineHandler({
  api: alterUserScramCredentialsApi,
  versions: [0, 0],
  async handle(request, context) {
    const { cluster } = context.broker
    const results = await inAdministrationTurn(cluster, () => {
      const alterations = alterationsOf(request, context)
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
  context: Context,
): ReadonlyMap<string, Alteration | Refusal> {
  const byUser = new Map<string, Alteration | Refusal>()
  const add = (user: string, alteration: () => Alteration | Refusal) => {
    const earlier = byUser.get(user)
    if (isRefusal(earlier)) return
    byUser.set(user, earlier === undefined ? alteration() : refuseRepeated(user))
  }
  for (const deletion of deletions) add(deletion.name, () => deletionOf(deletion, context))
  for (const upsertion of upsertions) add(upsertion.name, () => upsertionOf(upsertion))
  return byUser
}

function refuseRepeated(user: string): Refusal {
  return refuse('DUPLICATE_RESOURCE', `the request names user '${user}' twice`)
}

function deletionOf(
  { name, mechanism: code }: Request['deletions'][number],
  { broker: { cluster }, users }: Context,
): Alteration | Refusal {
  const mechanism = mechanismFor(name, code)
  if (typeof mechanism !== 'string') return mechanism
  if (cluster.dynamicSettings('scram', name).has(mechanism)) return { mechanism, credential: null }
  if (users?.given.has(name) === true && users.scramMechanisms.includes(mechanism)) {
    const problem = `the broker was started with user '${name}': only its next start can do without`
    return refuse('POLICY_VIOLATION', problem)
  }
  return refuse('RESOURCE_NOT_FOUND', `user '${name}' has no credential for ${mechanism}`)
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
