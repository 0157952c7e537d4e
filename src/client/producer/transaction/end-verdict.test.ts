/** Promise: an outcome is never guessed, and no abort follows a commit that may have happened. */
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../errors.ts'
import { kafkaError } from '../../../protocol/index.ts'
import type { KafkaErrorName } from '../../../protocol/index.ts'
import { ConnectionError, KafkaError } from '../../client-error.ts'
import { judgeEnd } from './end-verdict.ts'

const answered = (name: KafkaErrorName) => new KafkaError(kafkaError[name], 'EndTxn')
const names = Object.keys(kafkaError).filter((name) => name !== 'NONE') as KafkaErrorName[]
const versions = [1, 2] as const
const opennesses = ['no', 'maybe', 'certainly'] as const
const situations = versions.flatMap((version) =>
  opennesses.flatMap((openness) =>
    [false, true].flatMap((wasAsked) =>
      [false, true].map((commitRefused) => ({ version, openness, wasAsked, commitRefused })),
    ),
  ),
)

describe('a commit', () => {
  it('that may have happened is found not to have by two answers alone, whatever the others are', () => {
    const definite = names.filter((name) =>
      situations.some(
        (situation) =>
          situation.wasAsked &&
          !['unknown', 'closed-unknown'].includes(judgeEnd('commit', answered(name), situation)),
      ),
    )
    expect(definite.sort()).toEqual(['INVALID_TXN_STATE', 'TRANSACTION_ABORTABLE'])
  })

  it('is never reported as done by an error', () => {
    for (const name of names) {
      for (const situation of situations) {
        expect(judgeEnd('commit', answered(name), situation)).not.toBe('ended')
      }
    }
  })

  it.each([
    ['no answer', new ConnectionError('lost', true)],
    ['UNKNOWN_SERVER_ERROR', answered('UNKNOWN_SERVER_ERROR')],
    ['a coordinator that is not there', new ConnectionError('refused', false)],
  ])('without a decision (%s) is unknown if it was asked for, else not', (_name, error) => {
    for (const situation of situations) {
      const verdict = judgeEnd('commit', error, situation)
      expect(verdict).toBe(situation.wasAsked ? 'unknown' : 'not-asked')
    }
  })

  it('that a closed client leaves behind is unknown if it was asked for', () => {
    const closed = new MillraceError('MILLRACE_CLIENT_CLOSED', 'closed')
    for (const situation of situations) {
      const verdict = judgeEnd('commit', closed, situation)
      expect(verdict).toBe(situation.wasAsked ? 'closed-unknown' : 'closed')
    }
  })
})

describe('an abort', () => {
  const situation = { wasAsked: false, commitRefused: false }

  it('of what was perhaps never open has ended when nothing is open', () => {
    const nothing = answered('INVALID_TXN_STATE')
    expect(judgeEnd('abort', nothing, { ...situation, version: 1, openness: 'maybe' })).toBe(
      'ended',
    )
    const refused = {
      ...situation,
      version: 1,
      openness: 'certainly',
      commitRefused: true,
    } as const
    expect(judgeEnd('abort', nothing, refused)).toBe('ended')
  })

  it('of what was certainly open, and is not, says that it does not know', () => {
    const nothing = answered('INVALID_TXN_STATE')
    for (const version of versions) {
      const verdict = judgeEnd('abort', nothing, { ...situation, version, openness: 'certainly' })
      expect(verdict).toBe('closed-unknown')
    }
  })

  it('of an identity that is forgotten has nothing to end', () => {
    const forgotten = answered('INVALID_PRODUCER_ID_MAPPING')
    for (const each of situations) expect(judgeEnd('abort', forgotten, each)).toBe('ended')
  })
})
