import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import type { Platform } from '../../platform/index.ts'
import {
  alterUserScramCredentialsApi,
  describeUserScramCredentialsApi,
  kafkaError,
} from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import { isText } from '../connection/sasl/sasl-options.ts'
import { optionsOf, wholeNumber } from '../../option-checks.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, askOne } from './ask-each.ts'
import { onlyAnswer } from './item-result.ts'
import type { Done, ItemResult } from './item-result.ts'
import { codeOf, nameOfCode } from './named-codes.ts'
import { byKey, nameOf } from './partitions.ts'
import { controllerRoute } from './routes.ts'

const mechanisms = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const

const hashes = {
  'SCRAM-SHA-256': { hash: 'sha256', keyBytes: 32 },
  'SCRAM-SHA-512': { hash: 'sha512', keyBytes: 64 },
} as const

/** How a user logs in. */
export type ScramMechanism = keyof typeof mechanisms

/** What Kafka takes. */
const iterationBounds = { min: 4_096, max: 16_384 }
const iterationsByDefault = 8_192
/** The last that `salt` may be short of is being guessed: 128 bits. */
const saltBytes = 16

/** A password for a user. It is salted here; the broker never sees it. */
export interface ScramCredential {
  readonly user: string
  readonly mechanism: ScramMechanism
  readonly password: string
  /** How often it is hashed, from 4,096 to 16,384: what each guess costs. @defaultValue 8192 */
  readonly iterations?: number
}

/** A way of logging in that a user has. */
export interface ScramLogin {
  readonly mechanism: ScramMechanism | 'unknown'
  readonly iterations: number
}

export interface UserDescription {
  readonly user: string
  readonly logins: readonly ScramLogin[]
}

/** What to change of a user: a password is set for a mechanism, or the mechanism taken away. */
export type UserChange =
  | ({ readonly change: 'upsert' } & ScramCredential)
  | { readonly change: 'delete'; readonly user: string; readonly mechanism: ScramMechanism }

/** A change as it is sent. */
type PreparedChange =
  | { readonly change: 'delete'; readonly name: string; readonly mechanism: number }
  | {
      readonly change: 'upsert'
      readonly name: string
      readonly mechanism: number
      readonly iterations: number
      readonly salt: Uint8Array
      readonly saltedPassword: Uint8Array
    }

/** Users that log in with SCRAM. */
export class UserAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /** All users, by name. */
  list(options: AdminCallOptions = {}): Promise<UserDescription[]> {
    return this.#call('list', options, async (call) => {
      const { results } = await askOne(call, controllerRoute(call), async (broker) => {
        const answer = await call.request(broker, describeUserScramCredentialsApi, { users: null })
        checkKafkaCode(answer.errorCode, 'users', answer.errorMessage)
        return answer
      })
      return results
        .map(({ user, credentialInfos }) => ({ user, logins: credentialInfos.map(readLogin) }))
        .sort((one, other) => (one.user < other.user ? -1 : 1))
    })
  }

  /** How a user can log in. One without credentials is RESOURCE_NOT_FOUND. */
  async describe(user: string, options: AdminCallOptions = {}): Promise<UserDescription> {
    return onlyAnswer(await this.describeMany([user], options))
  }

  /** How users can log in. */
  describeMany(
    users: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Map<string, ItemResult<UserDescription>>> {
    return this.#call('describe', options, (call) =>
      describeUsers(
        call,
        byKey('users', users, (user) => nameOf('user', user)),
      ),
    )
  }

  /**
   * Sets the password of a user for a mechanism; the user is created with the first one.
   *
   * @example
   * await admin.users.upsert({ user: 'alice', mechanism: 'SCRAM-SHA-512', password })
   */
  async upsert(credential: ScramCredential, options: AdminCallOptions = {}): Promise<Done> {
    const changes = [{ ...credential, change: 'upsert' as const }]
    return onlyAnswer(await this.alterMany(changes, options))
  }

  /** Takes a mechanism from a user; the user is gone with the last one. */
  async delete(
    user: string,
    mechanism: ScramMechanism,
    options: AdminCallOptions = {},
  ): Promise<Done> {
    return onlyAnswer(await this.alterMany([{ change: 'delete', user, mechanism }], options))
  }

  /** Changes users, each for itself. Kafka takes one change of a user at a time. */
  alterMany(
    changes: readonly UserChange[],
    options: AdminCallOptions = {},
  ): Promise<Map<string, ItemResult<Done>>> {
    return this.#call('alter', options, async (call) => {
      const { platform } = this.#world.cluster
      const items = byKey('changes', changes, changedUser)
      // Each is salted once, however often it is sent: a repeated request means the same.
      const prepared = [...items.values()].map((change) => prepare(platform, change))
      return alterUsers(
        call,
        new Map((await Promise.all(prepared)).map((each) => [each.name, each])),
      )
    })
  }

  #call<Result>(
    method: string,
    options: AdminCallOptions,
    work: (call: AdminCall) => Promise<Result>,
  ): Promise<Result> {
    return adminCall(this.#world.cluster, `users.${method}`, options, [], work)
  }
}

function describeUsers(
  call: AdminCall,
  users: ReadonlyMap<string, string>,
): Promise<Map<string, ItemResult<UserDescription>>> {
  return askEach<string, UserDescription>(call, users, {
    route: controllerRoute(call),
    effect: 'reads',
    name: (user) => `user ${user}`,
    async ask(broker, asked) {
      const request = { users: asked.map(({ item }) => ({ name: item })) }
      const answer = await call.request(broker, describeUserScramCredentialsApi, request)
      checkKafkaCode(answer.errorCode, 'users', answer.errorMessage)
      return new Map<string, UserDescription | MillraceError>(
        answer.results.map(({ user, errorCode, errorMessage, credentialInfos }) => {
          if (errorCode === 0) return [user, { user, logins: credentialInfos.map(readLogin) }]
          return [user, new KafkaError(errorCode, `user ${user}`, errorMessage)]
        }),
      )
    },
  })
}

function readLogin(found: { readonly mechanism: number; readonly iterations: number }): ScramLogin {
  const mechanism = nameOfCode(found.mechanism, mechanisms)
  return { mechanism, iterations: found.iterations }
}

/** The user whom a change is about; checks the change. */
function changedUser(change: UserChange): string {
  const secret = change.change === 'upsert' ? ['password', 'iterations'] : []
  optionsOf(change, 'change', ['change', 'user', 'mechanism', ...secret])
  codeOf('change', change.change, { upsert: 0, delete: 1 })
  nameOf('user', change.user)
  codeOf('mechanism', change.mechanism, mechanisms)
  if (change.change === 'delete') return change.user
  wholeNumber({ ...change }, 'iterations', iterationsByDefault, iterationBounds)
  // The value stays out of the message: it is meant to be a secret.
  if (isText(change.password)) return change.user
  throw new OptionError('password', 'must be a text that is not empty, without half characters')
}

async function prepare(platform: Platform, change: UserChange): Promise<PreparedChange> {
  const { user: name } = change
  const mechanism = mechanisms[change.mechanism]
  if (change.change === 'delete') return { change: 'delete', name, mechanism }
  const { password, iterations = iterationsByDefault } = change
  const salt = platform.random.bytes(saltBytes)
  const derivation = { password, salt, iterations, ...hashes[change.mechanism] }
  const saltedPassword = await platform.offload.deriveKey(derivation)
  return { change: 'upsert', name, mechanism, iterations, salt, saltedPassword }
}

function alterUsers(
  call: AdminCall,
  changes: ReadonlyMap<string, PreparedChange>,
): Promise<Map<string, ItemResult<Done>>> {
  return askEach<PreparedChange, Done>(call, changes, {
    route: controllerRoute(call),
    effect: 'changes',
    name: ({ name }) => `user ${name}`,
    async ask(broker, asked) {
      const items = asked.map(({ item }) => item)
      const answer = await call.request(broker, alterUserScramCredentialsApi, {
        deletions: items.flatMap((each) => {
          return each.change === 'delete' ? [{ name: each.name, mechanism: each.mechanism }] : []
        }),
        upsertions: items.flatMap((each) => {
          if (each.change === 'delete') return []
          const { name, mechanism, iterations, salt, saltedPassword } = each
          return [{ name, mechanism, iterations, salt, saltedPassword }]
        }),
      })
      return new Map<string, Done | MillraceError>(
        answer.results.map(({ user, errorCode, errorMessage }) => {
          if (errorCode === 0) return [user, { answerWasLost: false }]
          return [user, new KafkaError(errorCode, `user ${user}`, errorMessage)]
        }),
      )
    },
    afterLostAnswer: ({ change }, { kafkaCode }) =>
      change === 'delete' && kafkaCode === kafkaError.RESOURCE_NOT_FOUND
        ? { answerWasLost: true }
        : undefined,
  })
}
