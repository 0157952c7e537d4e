import { expect, it } from 'vitest'
import { createPrincipalMapping } from './principal-mapping.ts'

const name = 'CN=Alice,OU=Engineering,O=Example,C=DE'

it.each([
  [undefined, name],
  ['DEFAULT', name],
  ['', undefined],
  ['RULE:^CN=(.*?),.*$/$1/', 'Alice'],
  ['RULE:CN=(.*?),.*/$1/L', 'alice'],
  ['RULE:CN=(.*?),OU=(.*?),.*/$2.$1/U', 'ENGINEERING.ALICE'],
  // The whole name must match, and the first rule that does counts.
  ['RULE:CN=Bob/x/, RULE:CN=(.*?),.*/first/, RULE:.*/second/', 'first'],
  ['RULE:CN=Bob.*/x/', undefined],
  ['RULE:CN=Bob.*/x/,DEFAULT', name],
  [String.raw`RULE:CN=(.*?),.*/a\/$1/`, 'a/Alice'],
  [String.raw`RULE:CN=(.*?),.*/\$1/`, '$1'],
])('maps a certificate by %s to %s', (rules, user) => {
  expect(createPrincipalMapping(rules)(name)).toBe(user)
})

it.each(['RULE:', 'RULE:x', 'RULE:x/y', 'RULE:x/y/Z', 'default', 'RULE:(/x/'])(
  'refuses %s',
  (rules) => {
    expect(() => createPrincipalMapping(rules)).toThrow(/principalMappingRules/)
  },
)
