import type { Cluster } from '../cluster/cluster.ts'
import type {
  Acl,
  AclOperation,
  PatternType,
  Permission,
  ResourcePattern,
  ResourceType,
} from './acl.ts'

type Settings = Pick<Cluster, 'dynamicSettings' | 'dynamicSettingNames' | 'setDynamicSettings'>

/**
 * The entries, kept as settings of the cluster: one setting for each pattern (`topic:literal:orders`),
 * in which each entry is a key (`["allow","read","User:alice","*"]`) with nothing to say beside.
 */
export class AclStore {
  readonly #cluster: Settings
  #entries: readonly Acl[] | undefined

  constructor(cluster: Settings) {
    this.#cluster = cluster
  }

  /** All entries. The list is another one after each change. */
  get entries(): readonly Acl[] {
    this.#entries ??= this.#cluster.dynamicSettingNames('acl').flatMap((name) => this.#read(name))
    return this.#entries
  }

  /** Forgets what was read: what is stored has changed. */
  changed(): void {
    this.#entries = undefined
  }

  /** Adds those that are not there yet. */
  add(added: readonly Acl[]): Promise<void> {
    return this.#alter(added, (settings, key) => settings.set(key, ''))
  }

  remove(removed: readonly Acl[]): Promise<void> {
    return this.#alter(removed, (settings, key) => settings.delete(key))
  }

  async #alter(
    acls: readonly Acl[],
    change: (settings: Map<string, string>, key: string) => void,
  ): Promise<void> {
    const names = new Set(acls.map(({ pattern }) => nameOf(pattern)))
    for (const name of names) {
      const before = this.#cluster.dynamicSettings('acl', name)
      const settings = new Map(before)
      const ofPattern = acls.filter(({ pattern }) => nameOf(pattern) === name)
      for (const acl of ofPattern) change(settings, keyOf(acl))
      if (settings.size === before.size) continue
      await this.#cluster.setDynamicSettings('acl', name, settings)
    }
  }

  #read(name: string): Acl[] {
    const pattern = patternOf(name)
    const keys = this.#cluster.dynamicSettings('acl', name).keys()
    return Array.from(keys, (key) => {
      const [permission, operation, principal, host] = JSON.parse(key) as StoredEntry
      return { pattern, permission, operation, principal, host }
    })
  }
}

type StoredEntry = [
  permission: Permission,
  operation: AclOperation,
  principal: string,
  host: string,
]

function keyOf({ permission, operation, principal, host }: Acl): string {
  return JSON.stringify([permission, operation, principal, host] satisfies StoredEntry)
}

function nameOf({ type, patternType, name }: ResourcePattern): string {
  return `${type}:${patternType}:${name}`
}

/** The name comes last, because it may have colons. */
function patternOf(text: string): ResourcePattern {
  const [type = '', patternType = ''] = text.split(':')
  return {
    type: type as ResourceType,
    patternType: patternType as PatternType,
    name: text.slice(type.length + patternType.length + 2),
  }
}
