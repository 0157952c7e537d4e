import { describe, expect, it } from 'vitest'
import type { SettingKind } from '../cluster/cluster.ts'
import { authorizedOperations } from './access.ts'
import type { Acl, AclOperation, PatternType } from './acl.ts'
import { AclStore } from './acl-store.ts'
import { Authorizer } from './authorizer.ts'
import type { AuthorizerOptions } from './authorizer.ts'

function createStore(): AclStore {
  const settings = new Map<string, ReadonlyMap<string, string>>()
  const store: AclStore = new AclStore({
    dynamicSettingNames: () => [...settings.keys()],
    dynamicSettings: (_kind: SettingKind, name: string) => settings.get(name) ?? new Map(),
    async setDynamicSettings(_kind, name, next) {
      await Promise.resolve()
      if (next.size === 0) settings.delete(name)
      else settings.set(name, next)
      store.changed()
    },
  })
  return store
}

function acl(
  permission: Acl['permission'],
  operation: AclOperation,
  name: string,
  more: { patternType?: PatternType; principal?: string; host?: string } = {},
): Acl {
  const { patternType = 'literal', principal = 'User:alice', host = '*' } = more
  return { permission, operation, principal, host, pattern: { type: 'topic', patternType, name } }
}

async function createAuthorizer(acls: readonly Acl[], options: AuthorizerOptions = {}) {
  const store = createStore()
  await store.add(acls)
  return new Authorizer(store, options)
}

async function accessOf(acls: readonly Acl[], options?: AuthorizerOptions) {
  return (await createAuthorizer(acls, options)).accessOf('User:alice', '10.0.0.1')
}

describe('an authorizer', () => {
  it('refuses what nothing is said of, unless it was told otherwise', async () => {
    const strict = await accessOf([])
    expect(strict.allows('read', 'topic', 'orders')).toBe(false)
    const open = await accessOf([acl('allow', 'read', 'orders', { principal: 'User:bob' })], {
      allowEveryoneIfNoAclFound: true,
    })
    expect(open.allows('read', 'topic', 'payments')).toBe(true)
    // Something is said of these, if of somebody else.
    expect(open.allows('read', 'topic', 'orders')).toBe(false)
  })

  it('lets super users do everything, whatever is denied', async () => {
    const authorizer = await createAuthorizer([acl('deny', 'all', '*', { principal: 'User:*' })], {
      superUsers: ['User:root'],
    })
    const root = authorizer.accessOf('User:root', '10.0.0.1')
    expect(root.allows('alter', 'cluster', 'kafka-cluster')).toBe(true)
    expect(root.allowsSome('write', 'topic')).toBe(true)
    expect(authorizer.accessOf('User:Root', '10.0.0.1').allows('read', 'topic', 'x')).toBe(false)
  })

  it.each([
    ['describe', ['read', 'write', 'delete', 'alter', 'describe', 'all']],
    ['describeConfigs', ['alterConfigs', 'describeConfigs', 'all']],
    ['read', ['read', 'all']],
    ['create', ['create', 'all']],
  ] as const)('takes as leave to %s: %j', async (operation, allowing) => {
    const every = ['read', 'write', 'create', 'delete', 'alter', 'describe', 'all'] as const
    const others = ['describeConfigs', 'alterConfigs', 'clusterAction'] as const
    for (const given of [...every, ...others]) {
      const access = await accessOf([acl('allow', given, 'orders')])
      const isAllowing = (allowing as readonly string[]).includes(given)
      expect([given, access.allows(operation, 'topic', 'orders')]).toEqual([given, isAllowing])
      const denied = await accessOf([acl('allow', 'all', 'orders'), acl('deny', given, 'orders')])
      const isDenying = given === operation || given === 'all'
      expect([given, denied.allows(operation, 'topic', 'orders')]).toEqual([given, !isDenying])
    }
  })

  it.each([
    ['orders', { patternType: 'literal' }, ['orders']],
    ['ord', { patternType: 'prefixed' }, ['orders', 'ord']],
    ['*', { patternType: 'literal' }, ['orders', 'ord', 'payments']],
    ['*', { patternType: 'prefixed' }, []],
    ['orders', { host: '10.0.0.1' }, ['orders']],
    ['orders', { host: '10.0.0.2' }, []],
    ['orders', { principal: 'User:*' }, ['orders']],
    ['orders', { principal: 'User:bob' }, []],
    ['orders', { principal: 'Group:alice' }, []],
  ] as const)('reads an entry for %s (%j) as one for %j', async (name, more, topics) => {
    const allowed = await accessOf([acl('allow', 'read', name, more)])
    const denied = await accessOf([acl('allow', 'read', '*'), acl('deny', 'read', name, more)])
    for (const topic of ['orders', 'ord', 'payments']) {
      const isMeant = (topics as readonly string[]).includes(topic)
      expect([topic, allowed.allows('read', 'topic', topic)]).toEqual([topic, isMeant])
      expect([topic, denied.allows('read', 'topic', topic)]).toEqual([topic, !isMeant])
    }
    expect(allowed.allows('read', 'group', 'orders')).toBe(false)
  })

  it.each([
    ['one literal', [acl('allow', 'write', 'orders')], true],
    ['another operation', [acl('allow', 'read', 'orders')], false],
    ['a wildcard', [acl('allow', 'write', '*')], true],
    ['a denied literal', [acl('allow', 'write', 'x'), acl('deny', 'write', 'x')], false],
    ['another denied', [acl('allow', 'write', 'x'), acl('deny', 'write', 'y')], true],
    [
      'a literal under a denied prefix',
      [acl('allow', 'write', 'xy'), acl('deny', 'all', 'x', { patternType: 'prefixed' })],
      false,
    ],
    [
      'a prefix with a denied literal in it',
      [acl('allow', 'write', 'x', { patternType: 'prefixed' }), acl('deny', 'write', 'x')],
      true,
    ],
    ['a denied wildcard', [acl('allow', 'write', 'x'), acl('deny', 'write', '*')], false],
    [
      'a wildcard with a denied prefix',
      [acl('allow', 'write', '*'), acl('deny', 'write', 'hard', { patternType: 'prefixed' })],
      true,
    ],
  ] as const)('knows whether there is some topic to write to: %s', async (_what, acls, some) => {
    expect((await accessOf(acls)).allowsSome('write', 'topic')).toBe(some)
  })

  it('tells in bits what may be done', async () => {
    const access = await accessOf([acl('allow', 'read', 'orders')])
    expect(authorizedOperations(access, 'topic', 'orders')).toBe((1 << 3) | (1 << 8))
    expect(authorizedOperations(access, 'topic', 'payments')).toBe(0)
  })
})

describe('the store of entries', () => {
  it('keeps names with colons, and forgets a pattern with its last entry', async () => {
    const store = createStore()
    const entry = acl('allow', 'read', 'a:b::c', { principal: 'User:CN=x,O="y"' })
    const other = acl('deny', 'read', 'a:b::c')
    await store.add([entry, other, entry])
    expect(store.entries).toEqual([entry, other])
    await store.remove([entry])
    expect(store.entries).toEqual([other])
    await store.remove([other])
    expect(store.entries).toEqual([])
  })
})
