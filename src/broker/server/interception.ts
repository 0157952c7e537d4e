/** What an interceptor sees of a request. */
export interface InterceptedRequest {
  readonly apiKey: number
  readonly apiName: string
  readonly version: number
  readonly clientId: string
  readonly principal: string
  readonly nodeId: number
  /** The decoded request, as its table in `protocol/` declares it. */
  readonly body: unknown
}

/** Ends the connection in place of an answer. */
export const closeConnection: unique symbol = Symbol('close connection')

/** What comes of a request: a response body, undefined for no response, or the end of the connection. */
export type Outcome = object | undefined | typeof closeConnection

/**
 * Stands between a request and its handler. `proceed` runs the handler (or the next interceptor)
 * and answers its outcome: without calling it the request has no effect; returning
 * `closeConnection` after it loses the answer of a request that took effect.
 */
export type Interceptor = (
  request: InterceptedRequest,
  proceed: () => Promise<Outcome>,
) => Outcome | Promise<Outcome>

/** The interceptors of a broker. The one that was added last sees a request first. */
export class Interceptors {
  #list: readonly Interceptor[] = []

  get active(): boolean {
    return this.#list.length > 0
  }

  /** Adds an interceptor; the function that is answered takes it away again. */
  add(interceptor: Interceptor): () => void {
    this.#list = [interceptor, ...this.#list]
    return () => {
      this.#list = this.#list.filter((other) => other !== interceptor)
    }
  }

  async run(request: InterceptedRequest, handle: () => Promise<Outcome>): Promise<Outcome> {
    const list = this.#list
    const step = async (index: number): Promise<Outcome> => {
      const interceptor = list[index]
      if (interceptor === undefined) return handle()
      return interceptor(request, () => step(index + 1))
    }
    return step(0)
  }
}
