import { describe, expect, it } from 'vitest'
import { metadataApi } from '../api/03-metadata.ts'
import { fetchApi } from '../api/01-fetch.ts'
import { Reader } from './reader.ts'
import { encodeRequest, finishRequestHeader, readRequestHeader } from './header.ts'

describe('a message', () => {
  it('reads back what was written, with the defaults of fields that the version lacks', () => {
    const bytes = metadataApi.request.encode({ topics: [{ name: 'orders' }] }, 1)
    expect(metadataApi.request.decode(bytes, 1)).toEqual({
      topics: [{ name: 'orders', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
  })

  it('refuses a value that the version cannot carry', () => {
    expect(() =>
      metadataApi.request.encode({ topics: [], includeTopicAuthorizedOperations: true }, 7),
    ).toThrow(
      'MetadataRequest.includeTopicAuthorizedOperations (true) cannot be sent in version 7, which has no such field',
    )
  })

  it('refuses an array length that the bytes cannot hold before it allocates', () => {
    const bytes = Buffer.from([0x7f, 0xff, 0xff, 0xff])
    expect(() => metadataApi.request.decode(bytes, 1)).toThrow(/declares 2147483647 elements/)
  })

  it('passes record batches on without copying them', () => {
    const batches = Buffer.alloc(4096, 7)
    const partitions = [
      {
        partitionIndex: 0,
        errorCode: 0,
        highWatermark: 1,
        records: batches,
        abortedTransactions: null,
      },
    ]
    const responses = [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions }]
    const encoded = fetchApi.response.encode({ responses }, 17)
    const decoded = fetchApi.response.decode(encoded, 17)
    expect(decoded.responses[0]?.partitions[0]?.records?.equals(batches)).toBe(true)
  })
})

describe('a request header', () => {
  it('round-trips in its flexible and its older form', () => {
    for (const version of [1, 12]) {
      const header = { version, correlationId: 7, clientId: 'me' }
      const frame = Buffer.concat(encodeRequest(metadataApi, header, { topics: null }))
      expect(frame.readInt32BE()).toBe(frame.length - 4)
      const reader = new Reader(frame, 4)
      expect(readRequestHeader(reader)).toEqual({ key: 3, ...header })
      finishRequestHeader(reader, metadataApi, version)
      expect(metadataApi.request.read(reader, version).topics).toBeNull()
      expect(reader.remaining).toBe(0)
    }
  })
})
