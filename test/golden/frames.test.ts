/**
 * Promise: what Apache Kafka's clients and brokers send is read without loss, in every version:
 * decoding it and encoding the result gives the same bytes.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  apiByKey,
  apis,
  encodeRequest,
  encodeResponse,
  finishRequestHeader,
  Reader,
  readRequestHeader,
  readResponseHeader,
} from '../../src/protocol/index.ts'

interface GoldenFrame {
  readonly key: number
  readonly version: number
  readonly direction: 'request' | 'response'
  readonly kafka: string
  readonly content: string
}

const frames = readFileSync(join(import.meta.dirname, 'frames.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as GoldenFrame)

/** Versions before record batches v2, which we advertise but never serve. */
const notRecorded: Readonly<Record<string, readonly number[]>> = { Produce: [0, 1, 2] }

function again(frame: GoldenFrame): Buffer {
  const api = apiByKey(frame.key)
  if (api === undefined) throw new Error(`no codec for API key ${frame.key}`)
  const reader = new Reader(Buffer.from(frame.content, 'base64'))
  if (frame.direction === 'request') {
    const header = readRequestHeader(reader)
    finishRequestHeader(reader, api, frame.version)
    const body = api.request.read(reader, frame.version)
    expect(reader.remaining).toBe(0)
    return Buffer.concat(encodeRequest(api, header, body)).subarray(4)
  }
  const correlationId = readResponseHeader(reader, api, frame.version)
  const body = api.response.read(reader, frame.version)
  expect(reader.remaining).toBe(0)
  return Buffer.concat(encodeResponse(api, frame.version, correlationId, body)).subarray(4)
}

describe('golden frames', () => {
  for (const api of apis) {
    const own = frames.filter((frame) => frame.key === api.key)
    it.each(own)(`${api.name} v$version $direction, Kafka $kafka`, (frame) => {
      expect(again(frame).toString('hex')).toBe(
        Buffer.from(frame.content, 'base64').toString('hex'),
      )
    })

    it(`${api.name} is recorded in all versions`, () => {
      const missing = []
      for (let version = api.versions.first; version <= api.versions.last; version++) {
        const recorded = own.filter((frame) => frame.version === version)
        for (const direction of ['request', 'response'] as const) {
          const found = recorded.some((frame) => frame.direction === direction)
          if (!found && notRecorded[api.name]?.includes(version) !== true) {
            missing.push(`v${version} ${direction}`)
          }
        }
      }
      expect(missing).toEqual([])
    })
  }
})
