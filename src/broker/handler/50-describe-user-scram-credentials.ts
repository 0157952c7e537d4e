import { describeUserScramCredentialsApi, kafkaError } from '../../protocol/index.ts'
import type { ResponseInput } from '../../protocol/index.ts'
import { refuse } from '../refusal.ts'
import {
  parseScramCredential,
  scramIterationsMin,
  scramMechanisms,
} from '../security/scram-credential.ts'
import { defineHandler } from './handler.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { repeated } from './repeated.ts'
import { scramMechanismCode } from './scram-mechanism.ts'

type UserAnswer = ResponseInput<typeof describeUserScramCredentialsApi>['results'][number]
type Context = Pick<RequestContext, 'broker' | 'users'>

/**
 * DescribeUserScramCredentials 0: by which mechanisms users can log in, and with how many iterations:
 * those whose credentials were set at run time, and those whose passwords the broker was started
 * with. No users stand for all.
 */
export const describeUserScramCredentials = defineHandler({
  api: describeUserScramCredentialsApi,
  versions: [0, 0],
  handle(request, context) {
    const asked = request.users?.map(({ name }) => name) ?? []
    const wanted = asked.length === 0 ? allUsers(context) : asked
    const twice = repeated(wanted)
    return {
      throttleTimeMs: 0,
      errorCode: kafkaError.NONE,
      errorMessage: null,
      results: [...new Set(wanted)].map((user) => describeUser(user, twice.has(user), context)),
    }
  },
})

function allUsers({ broker: { cluster }, users }: Context): readonly string[] {
  const given = users === undefined || users.scramMechanisms.length === 0 ? [] : users.given
  return [...new Set([...given, ...cluster.dynamicSettingNames('scram')])]
}

function describeUser(user: string, isRepeated: boolean, context: Context): UserAnswer {
  if (isRepeated) {
    const refusal = refuse('DUPLICATE_RESOURCE', `the request names user '${user}' twice`)
    return { user, ...refusalFields(refusal), credentialInfos: [] }
  }
  const credentialInfos = credentialsOf(user, context)
  if (credentialInfos.length === 0) {
    const refusal = refuse('RESOURCE_NOT_FOUND', `user '${user}' has no credentials`)
    return { user, ...refusalFields(refusal), credentialInfos }
  }
  return { user, ...refusalFields(undefined), credentialInfos }
}

function credentialsOf(user: string, { broker: { cluster }, users }: Context) {
  const stored = cluster.dynamicSettings('scram', user)
  const ofPassword = users?.given.has(user) === true ? users.scramMechanisms : []
  return scramMechanisms.flatMap((mechanism) => {
    const credential = parseScramCredential(stored.get(mechanism) ?? '')
    const iterations =
      credential?.iterations ?? (ofPassword.includes(mechanism) ? scramIterationsMin : undefined)
    return iterations === undefined ? [] : { mechanism: scramMechanismCode(mechanism), iterations }
  })
}
