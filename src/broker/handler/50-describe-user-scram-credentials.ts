import { describeUserScramCredentialsApi, kafkaError } from '../../protocol/index.ts'
import type { ResponseInput } from '../../protocol/index.ts'
import type { Cluster } from '../cluster/cluster.ts'
import { refuse } from '../refusal.ts'
import { parseScramCredential, scramMechanisms } from '../security/scram-credential.ts'
import { defineHandler } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { repeated } from './repeated.ts'
import { scramMechanismCode } from './scram-mechanism.ts'

type UserAnswer = ResponseInput<typeof describeUserScramCredentialsApi>['results'][number]

/**
 * DescribeUserScramCredentials 0: which mechanisms users have credentials for that were set at run
 * time, and with how many iterations. No users stand for all. Users whose passwords the broker was
 * started with are not among them: as in Kafka, those are not the cluster's to tell.
 */
export const describeUserScramCredentials = defineHandler({
  api: describeUserScramCredentialsApi,
  versions: [0, 0],
  handle({ users }, { broker: { cluster } }) {
    const asked = users?.map(({ name }) => name) ?? []
    const wanted = asked.length === 0 ? cluster.dynamicSettingNames('scram') : asked
    const twice = repeated(wanted)
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      errorMessage: null,
      results: [...new Set(wanted)].map((user) => describeUser(user, twice.has(user), cluster)),
    }
  },
})

function describeUser(user: string, isRepeated: boolean, cluster: Cluster): UserAnswer {
  if (isRepeated) {
    const refusal = refuse('DUPLICATE_RESOURCE', `the request names user '${user}' twice`)
    return { user, ...refusalFields(refusal), credentialInfos: [] }
  }
  const settings = cluster.dynamicSettings('scram', user)
  if (settings.size === 0) {
    const refusal = refuse('RESOURCE_NOT_FOUND', `user '${user}' has no credentials`)
    return { user, ...refusalFields(refusal), credentialInfos: [] }
  }
  const credentialInfos = scramMechanisms.flatMap((mechanism) => {
    const credential = parseScramCredential(settings.get(mechanism) ?? '')
    if (credential === undefined) return []
    return { mechanism: scramMechanismCode(mechanism), iterations: credential.iterations }
  })
  return { user, ...refusalFields(undefined), credentialInfos }
}
