import { isRefusal, refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { inAdministrationTurn } from './administration-turn.ts'
import { findConfigResource } from './config-resource.ts'
import type { ConfigResource } from './config-resource.ts'
import type { RequestContext } from './handler.ts'
import { refusalFields } from './refusal-fields.ts'
import { repeated } from './repeated.ts'

interface NamedResource {
  readonly resourceType: number
  readonly resourceName: string
}

interface AlterAnswer extends NamedResource {
  readonly errorCode: number
  readonly errorMessage: string | null
}

/**
 * Alters each resource that a request names, or refuses it for itself: all changes of a resource are
 * made, or none. `nextOf` says what is set afterwards. A resource that is named twice is refused.
 */
export function alterConfigResources<Named extends NamedResource>(
  resources: readonly Named[],
  validateOnly: boolean,
  context: RequestContext,
  nextOf: (named: Named, resource: ConfigResource) => ReadonlyMap<string, string> | Refusal,
): Promise<AlterAnswer[]> {
  const twice = repeated(resources.map(keyOf))
  const alter = async (named: Named): Promise<AlterAnswer> => {
    const refusal = twice.has(keyOf(named))
      ? refuse('INVALID_REQUEST', 'the request names the resource twice')
      : await alterOne(named, validateOnly, context, nextOf)
    const { resourceType, resourceName } = named
    return { ...refusalFields(refusal), resourceType, resourceName }
  }
  return inAdministrationTurn(context.broker.cluster, () => Promise.all(resources.map(alter)))
}

async function alterOne<Named extends NamedResource>(
  named: Named,
  validateOnly: boolean,
  context: RequestContext,
  nextOf: (named: Named, resource: ConfigResource) => ReadonlyMap<string, string> | Refusal,
): Promise<Refusal | undefined> {
  const resource = findConfigResource(named.resourceType, named.resourceName, context)
  if (isRefusal(resource)) return resource
  const next = nextOf(named, resource)
  if (isRefusal(next)) return next
  const refusal = resource.refuse(next)
  if (refusal !== undefined) return refusal
  if (!validateOnly) await resource.store(next)
  return undefined
}

function keyOf({ resourceType, resourceName }: NamedResource): string {
  return `${resourceType} ${resourceName}`
}
