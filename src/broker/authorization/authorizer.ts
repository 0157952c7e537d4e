import type { Access } from './access.ts'
import { everybody, patternMatches, wildcard } from './acl.ts'
import type { Acl, AclOperation, Operation, ResourceType } from './acl.ts'
import type { AclStore } from './acl-store.ts'

/** Who may do everything, and what holds where nothing is said. */
export interface AuthorizerOptions {
  /**
   * Who may do everything whatever is said of them, `User:admin`.
   * @defaultValue nobody
   */
  readonly superUsers?: readonly string[]
  /**
   * Whether everybody may do everything with a resource that no entry is about.
   * @defaultValue false
   */
  readonly allowEveryoneIfNoAclFound?: boolean
}

/** What an entry that allows one of these allows as well. */
const implied: Partial<Record<Operation, readonly AclOperation[]>> = {
  describe: ['read', 'write', 'delete', 'alter'],
  describeConfigs: ['alterConfigs'],
}

/**
 * Decides as Kafka's own authorizer: super users may do everything; else one entry that denies is
 * enough to refuse, and one that allows is needed. Where no entry is about a resource, whoever it may
 * be for, `allowEveryoneIfNoAclFound` decides. Denying an operation denies no other.
 */
export class Authorizer {
  readonly store: AclStore
  readonly #superUsers: ReadonlySet<string>
  readonly #allowEveryoneIfNoAclFound: boolean

  constructor(store: AclStore, options: AuthorizerOptions) {
    this.store = store
    this.#superUsers = new Set(options.superUsers)
    this.#allowEveryoneIfNoAclFound = options.allowEveryoneIfNoAclFound ?? false
  }

  /** What a client may do, by its principal (`User:alice`) and the address it comes from. */
  accessOf(principal: string, host: string): Access {
    return {
      allows: (operation, type, name) => this.#allows(principal, host, operation, type, name),
      allowsSome: (operation, type) => this.#allowsSome(principal, host, operation, type),
    }
  }

  #allows(
    principal: string,
    host: string,
    operation: Operation,
    type: ResourceType,
    name: string,
  ): boolean {
    if (this.#superUsers.has(principal)) return true
    const about = this.store.entries.filter(
      ({ pattern }) => pattern.type === type && patternMatches(pattern, name),
    )
    if (about.length === 0) return this.#allowEveryoneIfNoAclFound
    const ofClient = about.filter((acl) => isFor(acl, principal, host))
    if (ofClient.some((acl) => acl.permission === 'deny' && covers(acl, operation))) return false
    return ofClient.some((acl) => acl.permission === 'allow' && covers(acl, operation))
  }

  /**
   * As Kafka has it, with its two peculiarities: a pattern that allows counts unless a deny covers all
   * of it, and implied operations do not count.
   */
  #allowsSome(principal: string, host: string, operation: Operation, type: ResourceType): boolean {
    // No entry is likely to be about this name: it stands for those that nothing is said of.
    if (this.#allows(principal, host, operation, type, 'hardcode')) return true
    const ofClient = this.store.entries.filter(
      (acl) =>
        acl.pattern.type === type &&
        isFor(acl, principal, host) &&
        (acl.operation === operation || acl.operation === 'all'),
    )
    const denied = ofClient.filter(({ permission }) => permission === 'deny')
    return ofClient.some(
      (acl) => acl.permission === 'allow' && !denied.some((deny) => dominates(deny, acl)),
    )
  }
}

function isFor(acl: Acl, principal: string, host: string): boolean {
  const isPrincipal = acl.principal === principal || acl.principal === everybody
  return isPrincipal && (acl.host === wildcard || acl.host === host)
}

function covers({ operation, permission }: Acl, asked: Operation): boolean {
  if (operation === 'all' || operation === asked) return true
  return permission === 'allow' && (implied[asked]?.includes(operation) ?? false)
}

/** Whether an entry that denies is about everything that another one allows. */
function dominates({ pattern: denied }: Acl, { pattern: allowed }: Acl): boolean {
  if (denied.patternType === 'prefixed')
    return allowed.name.startsWith(denied.name) && allowed.name !== wildcard
  if (denied.name === wildcard) return true
  return allowed.patternType === 'literal' && allowed.name === denied.name
}
