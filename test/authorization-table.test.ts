/**
 * Promise: with an authorizer, no API does anything for a client that lacks a right. Every API has a row
 * in the table of rights, and each right of a row is needed.
 */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessRules } from '../src/broker/authorization/access-rules.ts'
import type { Right } from '../src/broker/authorization/gate.ts'
import { handlers } from '../src/broker/handler/handlers.ts'
import { authorizationErrorsIn } from './conformance/authorization-answers.ts'
import { attempts } from './conformance/authorization-attempts.ts'
import type { Attempt, NeededRight } from './conformance/authorization-attempts.ts'
import type { Implementation } from './conformance/implementation.ts'
import { Port } from './conformance/port.ts'
import { connectAs, grant, nextUser, startSecured } from './conformance/secured.ts'

const wordOf = ({ operation, on }: NeededRight | Right) => `${operation} ${on}`

/** The rights whose lack is an error; `left out` and `bits` are less of an answer. */
function rightsOfRule(key: number): string[] {
  const checks = accessRules.find((rule) => rule.api.key === key)?.checks ?? []
  const refusing = checks.filter(({ refused }) => refused === 'whole' || refused === 'each')
  return [...new Set(refusing.map(({ right }) => wordOf(right)))].sort()
}

function rightsOfAttempts(key: number): string[] {
  const rights = attempts.filter(({ api }) => api.key === key).flatMap((each) => each.rights)
  return [...new Set(rights.map(wordOf))].sort()
}

describe('the table of rights', () => {
  it('has one row for each API that is served', () => {
    expect(accessRules.map(({ api }) => api.name)).toEqual(handlers.map(({ api }) => api.name))
  })

  it('asks nothing of a client but at its login', () => {
    const open = accessRules.filter(({ checks }) => checks.length === 0)
    expect(open.map(({ api }) => api.name)).toEqual([
      'SaslHandshake',
      'ApiVersions',
      'SaslAuthenticate',
    ])
  })

  it.each(accessRules.map(({ api }) => [api.name, api.key] as const))(
    '%s: a request is tried for each of its rights',
    (_name, key) => {
      const besides = rightsBesides[key] ?? []
      const tried = [...rightsOfAttempts(key), ...besides].sort()
      expect(tried).toEqual(expect.arrayContaining(rightsOfRule(key)))
    },
  )
})

/** Rights of which other tests see to: those of what an answer tells, and of topics that are made. */
const rightsBesides: Readonly<Record<number, readonly string[]>> = {
  3: ['create topic'],
  68: ['describe topic'],
  69: ['describe topic'],
  77: ['describe topic'],
  78: ['read topic'],
  79: ['read topic'],
}

describe('the page of the table', () => {
  it('says what the table says', () => {
    const page = readFileSync(
      new URL('../docs/reference/broker-rights.md', import.meta.url),
      'utf8',
    )
    const rows = [...page.matchAll(/^\| (\d+ .*?) +\| (.*?) +\| (.*?) +\|$/gm)]
    const told = rows.map(([, api, right, form]) => `${api} | ${right} | ${form}`)
    expect(told).toEqual(accessRules.flatMap(rowsOf))
  })
})

const formWords = {
  whole: 'an error of the whole',
  each: 'an error of each',
  'left out': 'it is left out',
  bits: 'fewer operations are told',
} as const

function rowsOf({ api, checks }: (typeof accessRules)[number]): string[] {
  const name = `${api.key} ${api.name}`
  if (checks.length === 0) return [`${name} | none | `]
  const rows = checks.map(({ right, refused }) => {
    const instead = right.unless === undefined ? '' : `, or ${right.unless} cluster`
    return `${name} | ${wordOf(right)}${instead} | ${formWords[refused]}`
  })
  return [...new Set(rows)]
}

describe('a client with all rights that a request needs but one', () => {
  let secured: Implementation | undefined
  let port: Port
  beforeAll(async () => {
    secured = await startSecured('embedded')
    port = new Port(secured)
    // An error of the whole would hide those of topics.
    await port.coordinator('group', 'any')
  })
  afterAll(async () => {
    await port[Symbol.asyncDispose]()
    await secured?.[Symbol.asyncDispose]()
  })

  const cases = attempts.flatMap((attempt, index) =>
    attempt.rights.map((missing) => {
      const { name } = attempt.api
      return [
        `${index + 1}: ${name} ${attempt.version}`,
        wordOf(missing),
        attempt,
        missing,
      ] as const
    }),
  )

  it.each(cases)('%s: is refused without %s', async (_name, _word, attempt, missing) => {
    const topic = (await port.topic()).name
    const names = { topic, group: port.name('group'), transaction: port.name('transaction') }
    const user = nextUser()
    const others = attempt.rights.filter((right) => right !== missing)
    if (others.length > 0)
      await grant(
        port,
        user,
        others.map((right) => grantOf(right, names)),
      )
    const client = await connectAs(port, user)
    const ask = (given: Attempt) => client.request(given.api, given.version, given.body(names))
    expect(authorizationErrorsIn(await ask(attempt))).not.toEqual([])
    await grant(port, user, [grantOf(missing, names)])
    expect(authorizationErrorsIn(await ask(attempt))).toEqual([])
  })
})

function grantOf(
  { operation, on }: NeededRight,
  names: { topic: string; group: string; transaction: string },
) {
  const name = {
    topic: names.topic,
    group: names.group,
    transactionalId: names.transaction,
    cluster: 'kafka-cluster',
    delegationToken: '',
    user: '',
  }[on]
  return { on, operation, name, prefixed: on === 'topic' }
}
