import { OptionError } from '../../errors.ts'
import type { MillraceError } from '../../errors.ts'
import { createAclsApi, deleteAclsApi, describeAclsApi } from '../../protocol/index.ts'
import { checkKafkaCode, KafkaError } from '../client-error.ts'
import { optionsOf, shown } from '../../option-checks.ts'
import {
  aclOperations,
  aclPatternFilters,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  anyCode,
} from './acl-codes.ts'
import type {
  AclOperation,
  AclPatternFilter,
  AclPatternType,
  AclPermission,
  AclResourceType,
} from './acl-codes.ts'
import { adminCall } from './admin-call.ts'
import type { AdminCall, AdminCallOptions } from './admin-call.ts'
import type { AdminWorld } from './admin-world.ts'
import { askEach, askOne } from './ask-each.ts'
import type { Answers } from './ask-each.ts'
import { answerOf, onlyAnswer } from './item-result.ts'
import type { Done, ItemResult } from './item-result.ts'
import { codeOf, nameOfCode } from './named-codes.ts'
import { nameOf } from './partitions.ts'
import { anyBrokerRoute, controllerRoute } from './routes.ts'

/** Who may, or may not, do what with what. */
export interface AclEntry {
  readonly resourceType: AclResourceType
  /** In full, or its beginning where the pattern is `'prefixed'`; `'*'` for all, `'kafka-cluster'` for the cluster. */
  readonly resourceName: string
  /** @defaultValue 'literal' */
  readonly patternType?: AclPatternType
  /** `'User:alice'`; `'User:*'` for everybody. */
  readonly principal: string
  /** The address of the client. @defaultValue '*', all */
  readonly host?: string
  readonly operation: AclOperation
  readonly permission: AclPermission
}

/** An entry as a broker has it. `'unknown'` is what only a newer Kafka has. */
export interface AclBinding {
  readonly resourceType: AclResourceType | 'unknown'
  readonly resourceName: string
  readonly patternType: AclPatternType | 'unknown'
  readonly principal: string
  readonly host: string
  readonly operation: AclOperation | 'unknown'
  readonly permission: AclPermission | 'unknown'
}

/** Which entries are meant; what is left out is left open. */
export interface AclFilter {
  readonly resourceType?: AclResourceType
  readonly resourceName?: string
  /** @defaultValue 'any' */
  readonly patternType?: AclPatternFilter
  readonly principal?: string
  readonly host?: string
  readonly operation?: AclOperation
  readonly permission?: AclPermission
}

/** What a filter has deleted. */
export interface DeletedAcls extends Done {
  /**
   * The entries that it matched. What an earlier request has deleted whose answer was lost is not among them.
   */
  readonly entries: readonly (AclBinding & ItemResult)[]
}

/** The rules of who may do what. Where no authorizer is set up, everything is SECURITY_DISABLED. */
export class AclAdmin {
  readonly #world: AdminWorld

  constructor(world: AdminWorld) {
    this.#world = world
  }

  /**
   * The entries that a filter matches.
   *
   * @example
   * const rules = await admin.acls.describe({ resourceType: 'topic', principal: 'User:alice' })
   */
  describe(filter: AclFilter = {}, options: AdminCallOptions = {}): Promise<AclBinding[]> {
    return this.#call('describe', options, async (call) => {
      const request = filterRequest(filter)
      const { resources } = await askOne(call, anyBrokerRoute(call), async (broker) => {
        const answer = await call.request(broker, describeAclsApi, request)
        checkKafkaCode(answer.errorCode, 'access control entries', answer.errorMessage)
        return answer
      })
      return resources.flatMap(({ acls, ...resource }) =>
        acls.map((entry) => readEntry({ ...resource, ...entry })),
      )
    })
  }

  /**
   * Creates an entry; one that is there already stays.
   *
   * @example
   * await admin.acls.create({
   *   resourceType: 'topic',
   *   resourceName: 'orders',
   *   principal: 'User:alice',
   *   operation: 'read',
   *   permission: 'allow',
   * })
   */
  async create(entry: AclEntry, options: AdminCallOptions = {}): Promise<void> {
    onlyAnswer(await this.createMany([entry], options))
  }

  /** Creates entries, each for itself; in their order. */
  createMany(entries: readonly AclEntry[], options: AdminCallOptions = {}): Promise<ItemResult[]> {
    return this.#call('create', options, (call) => createAcls(call, byIndex('entries', entries)))
  }

  /** Deletes the entries that a filter matches. Throws when one of them cannot be deleted. */
  async delete(filter: AclFilter, options: AdminCallOptions = {}): Promise<DeletedAcls> {
    const deleted = onlyAnswer(await this.deleteMany([filter], options))
    for (const entry of deleted.entries) answerOf<object>(entry)
    return deleted
  }

  /** Deletes what filters match, each for itself; in their order. */
  deleteMany(
    filters: readonly AclFilter[],
    options: AdminCallOptions = {},
  ): Promise<ItemResult<DeletedAcls>[]> {
    return this.#call('delete', options, (call) => deleteAcls(call, byIndex('filters', filters)))
  }

  #call<Result>(
    method: string,
    options: AdminCallOptions,
    work: (call: AdminCall) => Promise<Result>,
  ): Promise<Result> {
    return adminCall(this.#world.cluster, `acls.${method}`, options, [], work)
  }
}

function byIndex<Item>(option: string, items: readonly Item[]): Map<string, Item> {
  if (!Array.isArray(items)) throw new OptionError(option, `(${shown(items)}) must be a list`)
  return new Map(items.map((item, index) => [String(index), item as Item]))
}

async function createAcls(
  call: AdminCall,
  entries: ReadonlyMap<string, AclEntry>,
): Promise<ItemResult[]> {
  const requests = new Map([...entries].map(([key, entry]) => [key, entryRequest(entry)]))
  const results = await askEach<AclEntry, object>(call, entries, {
    route: controllerRoute(call),
    effect: 'changes',
    name: entryName,
    async ask(broker, asked) {
      const creations = asked.flatMap(({ key }) => requests.get(key) ?? [])
      const answer = await call.request(broker, createAclsApi, { creations })
      const answers = new Map<string, object | MillraceError>()
      for (const [index, { errorCode, errorMessage }] of answer.results.entries()) {
        const each = asked[index]
        if (each === undefined) continue
        const refusal = () => new KafkaError(errorCode, entryName(each.item), errorMessage)
        answers.set(each.key, errorCode === 0 ? {} : refusal())
      }
      return answers
    },
  })
  return [...results.values()]
}

async function deleteAcls(
  call: AdminCall,
  filters: ReadonlyMap<string, AclFilter>,
): Promise<ItemResult<DeletedAcls>[]> {
  const requests = new Map([...filters].map(([key, filter]) => [key, filterRequest(filter)]))
  const results = await askEach<AclFilter, DeletedAcls>(call, filters, {
    route: controllerRoute(call),
    effect: 'changes',
    name: () => 'access control entries',
    async ask(broker, asked): Promise<Answers<DeletedAcls>> {
      const sent = asked.flatMap(({ key }) => requests.get(key) ?? [])
      const answer = await call.request(broker, deleteAclsApi, {
        filters: sent,
      })
      const answers = new Map<string, DeletedAcls | MillraceError>()
      for (const [index, result] of answer.filterResults.entries()) {
        const each = asked[index]
        if (each === undefined) continue
        const { errorCode, errorMessage, matchingAcls } = result
        const { answerWasLost } = each
        const deleted = { entries: matchingAcls.map(readMatch), answerWasLost }
        const refusal = () => new KafkaError(errorCode, 'access control entries', errorMessage)
        answers.set(each.key, errorCode === 0 ? deleted : refusal())
      }
      return answers
    },
  })
  return [...results.values()]
}

interface EntryResponse {
  readonly resourceType: number
  readonly resourceName: string
  readonly patternType: number
  readonly principal: string
  readonly host: string
  readonly operation: number
  readonly permissionType: number
}

function readEntry(entry: EntryResponse): AclBinding {
  return {
    resourceType: nameOfCode(entry.resourceType, aclResourceTypes),
    resourceName: entry.resourceName,
    patternType: nameOfCode(entry.patternType, aclPatternTypes),
    principal: entry.principal,
    host: entry.host,
    operation: nameOfCode(entry.operation, aclOperations),
    permission: nameOfCode(entry.permissionType, aclPermissions),
  }
}

function readMatch(
  match: EntryResponse & { readonly errorCode: number; readonly errorMessage: string | null },
): AclBinding & ItemResult {
  const entry = readEntry(match)
  if (match.errorCode === 0) return entry
  const what = `access control entry of ${match.principal} on ${match.resourceName}`
  return { ...entry, error: new KafkaError(match.errorCode, what, match.errorMessage) }
}

const entryFields = [
  'resourceType',
  'resourceName',
  'patternType',
  'principal',
  'host',
  'operation',
  'permission',
]

function entryName({ principal, operation, resourceType, resourceName }: AclEntry): string {
  return `access control entry of ${principal} to ${operation} ${resourceType} ${resourceName}`
}

function entryRequest(entry: AclEntry) {
  optionsOf(entry, 'entry', entryFields)
  const { patternType = 'literal', host = '*' } = entry
  return {
    resourceType: codeOf('entry.resourceType', entry.resourceType, aclResourceTypes),
    resourceName: nameOf('entry.resourceName', entry.resourceName),
    resourcePatternType: codeOf('entry.patternType', patternType, aclPatternTypes),
    principal: nameOf('entry.principal', entry.principal),
    host: nameOf('entry.host', host),
    operation: codeOf('entry.operation', entry.operation, aclOperations),
    permissionType: codeOf('entry.permission', entry.permission, aclPermissions),
  }
}

function filterRequest(filter: AclFilter) {
  optionsOf(filter, 'filter', entryFields)
  const { resourceType, patternType = 'any', operation, permission } = filter
  return {
    resourceTypeFilter:
      resourceType === undefined
        ? anyCode
        : codeOf('filter.resourceType', resourceType, aclResourceTypes),
    resourceNameFilter: filter.resourceName ?? null,
    patternTypeFilter: codeOf('filter.patternType', patternType, aclPatternFilters),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation:
      operation === undefined ? anyCode : codeOf('filter.operation', operation, aclOperations),
    permissionType:
      permission === undefined ? anyCode : codeOf('filter.permission', permission, aclPermissions),
  }
}
