import { passwordMechanisms, startSaslExchange } from '../../src/broker/security/sasl.ts'
import type { PasswordMechanism } from '../../src/broker/security/sasl.ts'
import { createUsers, parseUsers } from '../../src/broker/security/users.ts'
import { readAssignment, readSubscription } from '../../src/broker/group/consumer-protocol.ts'
import { decodeRecord } from '../../src/broker/group/group-record.ts'
import { readTransactionRecord } from '../../src/broker/transaction/transaction-record.ts'
import {
  classicGroupKey,
  classicGroupValue,
  currentAssignmentKey,
  currentAssignmentValue,
  consumerAssignment,
  consumerSubscription,
  FrameReader,
  groupMemberKey,
  groupMemberValue,
  offsetKey,
  offsetValue,
  transactionKey,
  transactionValue,
  Writer,
} from '../../src/protocol/index.ts'
import type { Message } from '../../src/protocol/index.ts'
import type { Fields } from '../../src/protocol/wire/field.ts'
import { arbitraryMessage, seededDraw } from '../../src/protocol/wire/fixture/arbitrary-message.ts'
import { SeededRandom } from '../../src/testing/simulation/index.ts'
import type { Outcome, Sample, Target } from './target.ts'

const seeds = [0, 1, 2, 3, 4]

function encoded(message: Message<Fields>, version: number, seed: number): Buffer {
  const writer = new Writer()
  writer.int16(version)
  message.write(writer, arbitraryMessage(message, version, seededDraw(seed)), version)
  return writer.toBuffer()
}

/** The stream of a connection, cut into chunks of which the first byte tells the size. */
export function frameTarget(): Target {
  const frame = (content: string) => {
    const size = Buffer.alloc(4)
    size.writeInt32BE(content.length)
    return Buffer.concat([size, Buffer.from(content)])
  }
  const bytes = Buffer.concat([Buffer.from([5]), frame('one'), frame(''), frame('x'.repeat(300))])
  const read = (input: Buffer): Outcome => {
    const frames = new FrameReader(1000)
    const chunkBytes = 1 + ((input[0] ?? 0) & 63)
    for (let at = 1; at < input.length; at += chunkBytes) {
      frames.push(input.subarray(at, at + chunkBytes), (content) => {
        if (content.length > 1000) throw new Error('a frame is larger than allowed')
      })
      if (frames.heldBytes > 1004) throw new Error('more is held than a frame may have')
    }
    return 'accepted'
  }
  return { name: 'frames', share: 5, samples: [{ label: 'stream of frames', bytes, read }] }
}

/** The records of both coordinators: a byte with the length of the key, key, value. */
export function stateRecordTarget(): Target {
  const kinds: [type: number, key: Message<Fields>, value: Message<Fields>][] = [
    [1, offsetKey, offsetValue],
    [2, classicGroupKey, classicGroupValue],
    [5, groupMemberKey, groupMemberValue],
    [8, currentAssignmentKey, currentAssignmentValue],
    [0, transactionKey, transactionValue],
  ]
  const samples = kinds.flatMap(([type, key, value]) =>
    seeds.map((seed): Sample => {
      const keyBytes = encoded(key, 0, seed)
      keyBytes.writeInt16BE(type)
      const valueBytes = encoded(value, value.versions.last, seed)
      const bytes = Buffer.concat([Buffer.from([keyBytes.length & 255]), keyBytes, valueBytes])
      const decode = type === 0 ? readTransactionRecord : decodeRecord
      const read = (input: Buffer): Outcome => {
        const end = 1 + (input[0] ?? 0)
        const record = { key: input.subarray(1, end), value: input.subarray(end) }
        return decode(record) === undefined ? 'refused' : 'accepted'
      }
      return { label: `record with key of type ${type}`, bytes, read }
    }),
  )
  return { name: 'records of coordinators', share: 5, samples }
}

/** What consumers send each other through a classic group, which the broker looks into. */
export function consumerProtocolTarget(): Target {
  const samples = [
    { message: consumerSubscription as Message<Fields>, decode: readSubscription },
    { message: consumerAssignment as Message<Fields>, decode: readAssignment },
  ].flatMap(({ message, decode }) =>
    seeds.map((seed) => ({
      label: message.name,
      bytes: encoded(message, message.versions.last, seed),
      read: (input: Buffer): Outcome => (decode(input) === undefined ? 'refused' : 'accepted'),
    })),
  )
  return { name: 'consumer protocol', share: 3, samples }
}

const random = new SeededRandom(1)
const users = createUsers({
  passwords: new Map([['alice', 'pencil']]),
  mechanisms: passwordMechanisms,
  storedCredential: () => undefined,
  random,
})

/** Messages of SASL. After a challenge the same bytes come as the final message. */
export function saslTarget(): Target {
  const samples = (
    [
      ['PLAIN', '\0alice\0wrong'],
      ['SCRAM-SHA-256', 'n,,n=alice,r=fyko+d2lbbFgONRv9qkxdawL'],
      ['SCRAM-SHA-512', 'n,a=alice,n=alice,r=fyko+d2lbbFgONRv9qkxdawL'],
      ['SCRAM-SHA-256', 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL,p=AAAA'],
    ] as const
  ).map(([mechanism, text]) => ({
    label: `${mechanism} message`,
    bytes: Buffer.from(text),
    read: (input: Buffer) => logIn(mechanism, input),
  }))
  return { name: 'SASL messages', share: 3, samples }
}

function logIn(mechanism: PasswordMechanism, input: Buffer): Outcome {
  const exchange = startSaslExchange(mechanism, users, random)
  const step = exchange(input)
  if (step.kind !== 'challenge') return settled(step.kind)
  const nonce = step.bytes.toString().replace(/,.*/s, '')
  return settled(exchange(Buffer.concat([Buffer.from(`c=biws,${nonce},p=`), input])).kind)
}

function settled(kind: string): Outcome {
  if (kind === 'success') throw new Error('somebody got in without the password')
  return kind === 'challenge' ? 'accepted' : 'refused'
}

/** The users file of the command line. */
export function usersFileTarget(): Target {
  const bytes = Buffer.from('# team\nalice:pen:cil\n\nbob:x\r\n')
  const read = (input: Buffer): Outcome =>
    parseUsers(input.toString()).size > 0 ? 'accepted' : 'refused'
  return { name: 'users file', share: 1, samples: [{ label: 'users file', bytes, read }] }
}
