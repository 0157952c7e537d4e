import { kafkaError } from '../../protocol/index.ts'
import type { Api, RequestOf, ResponseInput } from '../../protocol/index.ts'
import type { Handler, HandlerAnswer, RequestContext } from '../handler/handler.ts'
import { repeated } from '../handler/repeated.ts'
import { refuse } from '../refusal.ts'
import type { Refusal } from '../refusal.ts'
import { clusterName } from './acl.ts'
import type { Operation, ResourceType } from './acl.ts'

/** A right that a request needs. */
export interface Right {
  readonly operation: Operation
  readonly on: ResourceType
  /** A right on the whole cluster that stands for this one. */
  readonly unless?: Operation
}

/**
 * What is answered who lacks a right: an error of the whole request, of each thing that was named, no
 * word of what may not be known, or fewer bits where the client asks for what it may do.
 */
export type RefusalForm = 'whole' | 'each' | 'left out' | 'bits'

/** How a request gets past a check: answered at once, or handed on, perhaps with less in it. */
export type Passage<A extends Api> =
  | { readonly answer: HandlerAnswer<A> }
  | {
      readonly request: RequestOf<A>
      /** Puts what was refused, or takes what must not be known, into or out of the answer. */
      readonly amend?: (answer: HandlerAnswer<A>) => HandlerAnswer<A>
    }

/** One check of a request. Those of a rule are made in turn. */
export interface Check<A extends Api = Api> {
  readonly right: Right
  readonly refused: RefusalForm
  pass(request: RequestOf<A>, context: RequestContext): Passage<A>
}

/** What an API needs: a row of the table. */
export interface AccessRule<A extends Api = Api> {
  readonly api: A
  readonly checks: readonly Check<A>[]
}

/** Something that a request names and whose right is missing. */
export interface RefusedItem<Item> {
  readonly item: Item
  readonly refusal: Refusal
}

/** Declares what an API needs; the types of the checks follow from it. */
export function accessRule<A extends Api>(
  api: A,
  ...checks: readonly Check<NoInfer<A>>[]
): AccessRule<A> {
  return { api, checks }
}

/** The handler behind the checks of its rule. */
export function guard(handler: Handler, { checks }: AccessRule): Handler {
  return {
    ...handler,
    handle(request, context) {
      const amends: ((answer: HandlerAnswer<Api>) => HandlerAnswer<Api>)[] = []
      let allowed = request
      for (const check of checks) {
        const passage = check.pass(allowed, context)
        if ('answer' in passage) return passage.answer
        allowed = passage.request
        if (passage.amend !== undefined) amends.unshift(passage.amend)
      }
      const answer = handler.handle(allowed, context)
      const amended = (given: HandlerAnswer<Api>) =>
        amends.reduce((value, amend) => amend(value), given)
      return answer instanceof Promise ? answer.then(amended) : amended(answer)
    },
  }
}

const errors = {
  topic: 'TOPIC_AUTHORIZATION_FAILED',
  group: 'GROUP_AUTHORIZATION_FAILED',
  cluster: 'CLUSTER_AUTHORIZATION_FAILED',
  transactionalId: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  delegationToken: 'DELEGATION_TOKEN_AUTHORIZATION_FAILED',
  user: 'CLUSTER_AUTHORIZATION_FAILED',
} as const satisfies Record<ResourceType, keyof typeof kafkaError>

/** The error of a right that is missing. Its words say nothing but what the client has asked for. */
export function unauthorized({ operation, on }: Right, name: string): Refusal {
  const resource = on === 'cluster' ? 'the cluster' : `${on} '${name}'`
  return refuse(errors[on], `${operation} is not allowed on ${resource}`)
}

/** The code of the error of a right that is missing. */
export function unauthorizedCode({ on }: Pick<Right, 'on'>): number {
  return kafkaError[errors[on]]
}

/** Whether the client has a right, on one resource or on the whole cluster in its place. */
export function has(right: Right, name: string, { access }: RequestContext): boolean {
  const { operation, on, unless } = right
  if (unless !== undefined && access.allows(unless, 'cluster', clusterName)) return true
  return access.allows(operation, on, name)
}

/** A right without which nothing of the request is done. */
export function whole<A extends Api>(
  right: Right,
  declared: {
    /** The resources it is needed on; for the cluster, leave it out. Undefined: on nothing. */
    readonly of?: (request: RequestOf<A>, context: RequestContext) => readonly string[]
    readonly answer: (
      request: RequestOf<A>,
      refusal: Refusal,
      context: RequestContext,
    ) => HandlerAnswer<A>
  },
): Check<A> {
  return {
    right,
    refused: 'whole',
    pass(request, context) {
      const names = declared.of?.(request, context) ?? [clusterName]
      const lacking = names.find((name) => !has(right, name, context))
      if (lacking === undefined) return { request }
      return { answer: declared.answer(request, unauthorized(right, lacking), context) }
    },
  }
}

/**
 * A right that is needed on each thing that a request names: the handler sees those that it is there
 * for, and the answer gets a refusal for each of the others.
 */
export function each<A extends Api, Item>(
  right: Right,
  declared: {
    readonly items: (request: RequestOf<A>) => readonly Item[]
    /** The resource of an item; undefined leaves the item to the handler. */
    readonly name: (item: Item, context: RequestContext) => string | undefined
    /** The request with these items alone. */
    readonly keep: (request: RequestOf<A>, items: Item[]) => RequestOf<A>
    /** What items must differ in: those that do not are the handler's to refuse. */
    readonly key?: (item: Item) => string
    /** The answer with the refusals in it. */
    readonly join: (
      answer: ResponseInput<A>,
      refused: readonly RefusedItem<Item>[],
      context: RequestContext,
    ) => ResponseInput<A>
  },
): Check<A> {
  return {
    right,
    refused: 'each',
    pass(request, context) {
      const items = declared.items(request)
      const twice = repeated(declared.key === undefined ? [] : items.map(declared.key))
      const refused: RefusedItem<Item>[] = []
      const allowed = items.filter((item) => {
        if (declared.key !== undefined && twice.has(declared.key(item))) return true
        const name = declared.name(item, context)
        if (name === undefined || has(right, name, context)) return true
        refused.push({ item, refusal: unauthorized(right, name) })
        return false
      })
      if (refused.length === 0) return { request }
      return {
        request: declared.keep(request, allowed),
        amend: amendBody((answer) => declared.join(answer, refused, context)),
      }
    },
  }
}

/** What is in a list of a request or an answer. */
type ItemOf<Body, Name extends keyof Body> =
  NonNullable<Body[Name]> extends readonly (infer Item)[] ? Item : never

/** `each` where the request has a list of the things, and the answer one of what came of them. */
export function eachIn<
  A extends Api,
  Listed extends keyof RequestOf<A>,
  Answered extends keyof ResponseInput<A>,
>(
  right: Right,
  listed: Listed,
  answered: Answered,
  declared: {
    readonly name: (
      item: ItemOf<RequestOf<A>, Listed>,
      context: RequestContext,
    ) => string | undefined
    readonly key?: (item: ItemOf<RequestOf<A>, Listed>) => string
    readonly refused: (
      item: ItemOf<RequestOf<A>, Listed>,
      refusal: Refusal,
    ) => ItemOf<ResponseInput<A>, Answered>
  },
): Check<A> {
  type Item = ItemOf<RequestOf<A>, Listed>
  const { name, key } = declared
  return each<A, Item>(right, {
    items: (request) => (request[listed] ?? []) as readonly Item[],
    name,
    ...(key && { key }),
    keep: (request, items) => ({ ...request, [listed]: items }),
    join: (answer, refused) => ({
      ...answer,
      [answered]: [
        ...((answer[answered] ?? []) as readonly unknown[]),
        ...refused.map(({ item, refusal }) => declared.refused(item, refusal)),
      ],
    }),
  })
}

/** A right without which something is not told: it is taken out of the answer. */
export function leftOut<A extends Api>(
  right: Right,
  without: (
    answer: ResponseInput<A>,
    mayKnow: (name: string) => boolean,
    request: RequestOf<A>,
    context: RequestContext,
  ) => ResponseInput<A>,
): Check<A> {
  return {
    right,
    refused: 'left out',
    pass: (request, context) => ({
      request,
      amend: amendBody((answer) =>
        without(answer, (name) => has(right, name, context), request, context),
      ),
    }),
  }
}

/** Tells the client what it may do in place of what everybody might. */
export function bits<A extends Api>(
  right: Right,
  tell: (
    answer: ResponseInput<A>,
    context: RequestContext,
    request: RequestOf<A>,
  ) => ResponseInput<A>,
): Check<A> {
  return {
    right,
    refused: 'bits',
    pass: (request, context) => ({
      request,
      amend: amendBody((answer) => tell(answer, context, request)),
    }),
  }
}

/** A right that the handler itself looks for, where what is asked cannot be seen from outside. */
export function within<A extends Api>(right: Right, refused: RefusalForm): Check<A> {
  return { right, refused, pass: (request) => ({ request }) }
}

/** What is no body (no answer, the end of the connection) stays as it is. */
export function amendBody<A extends Api>(
  amend: (body: ResponseInput<A>) => ResponseInput<A>,
): (answer: HandlerAnswer<A>) => HandlerAnswer<A> {
  return (answer) => (typeof answer === 'object' ? amend(answer) : answer)
}
