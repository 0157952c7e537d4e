import { addPartitionsToTxnApi } from '../../protocol/index.ts'
import type { Handler, ServedApi } from '../handler/handler.ts'
import type { Release, VersionSpan } from './release.ts'

/** Handlers, and what clients are told of them. */
export interface ServedApis {
  readonly handlers: readonly Handler[]
  readonly advertised: readonly ServedApi[]
}

/**
 * The handlers as a release would have them: what it did not have is not served. Clients are told the
 * release's own versions, also those old ones that nobody speaks any more and that only close the
 * connection here: clients take the highest that both sides know.
 */
export function servedApis(handlers: readonly Handler[], release: Release | undefined): ServedApis {
  if (release === undefined) return { handlers, advertised: handlers.map(apiOf) }
  const known = handlers.flatMap((handler) => {
    const told = advertisedVersions(handler, release)
    return told === undefined ? [] : [{ handler, told }]
  })
  return {
    handlers: known.map(({ handler, told }) => ({ ...handler, versions: both(handler, told) })),
    advertised: known.map(({ handler, told }) => ({ key: handler.api.key, versions: told })),
  }
}

function apiOf({ api, versions }: Handler): ServedApi {
  return { key: api.key, versions }
}

function advertisedVersions({ api, versions }: Handler, release: Release): VersionSpan | undefined {
  const told = release.apis.get(api.key)
  if (told === undefined) return undefined
  // Above these it is spoken among brokers, and a client that was told of it would be misled.
  return api.key === addPartitionsToTxnApi.key ? both({ versions }, told) : told
}

function both({ versions }: Pick<Handler, 'versions'>, told: VersionSpan): VersionSpan {
  return [Math.max(versions[0], told[0]), Math.min(versions[1], told[1])]
}
