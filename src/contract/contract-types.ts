import type { Event } from './event.ts'
import type { EventContract } from './event-contract.ts'
import type { TopicContract } from './topic-contract.ts'

/** The contracts of a topic's events; a topic of anything takes any. */
export type ContractsOf<Topic extends TopicContract> =
  Topic extends TopicContract<string, infer Events>
    ? Events extends readonly []
      ? EventContract
      : Events[number]
    : never

/**
 * The event of a contract, or any event of a topic: a union that `type` tells apart. An event of a topic
 * without contracts has data that nobody knows.
 */
export type EventOf<Contract extends EventContract | TopicContract> =
  Contract extends EventContract<infer Type, unknown, infer Output>
    ? Event<Type, Output>
    : Contract extends TopicContract
      ? EventOf<ContractsOf<Contract>>
      : never

/** The data that is given to publish an event. */
export type DataOf<Contract extends EventContract> =
  Contract extends EventContract<string, infer Input, unknown> ? Input : never

/** A function for each type of event of a topic: one that is forgotten does not compile. */
export type HandlersOf<Topic extends TopicContract, Rest extends readonly unknown[], Result> = {
  readonly [Type in EventOf<Topic>['type']]: (
    event: Extract<EventOf<Topic>, { readonly type: Type }>,
    ...rest: Rest
  ) => Result
}
