/** What the runner and the folders beside it (one for each foreign client) agree on. */

/** A broker that the cases are run against, and how to log in. */
export interface BrokerUnderTest {
  readonly name: string
  readonly bootstrap: string
  /** A listener with SASL, when there is one. */
  readonly saslBootstrap: string | undefined
  /** A listener with TLS, when there is one. */
  readonly tlsBootstrap: string | undefined
  /** A PEM file with the authority of the TLS listener. */
  readonly authorityFile: string | undefined
  readonly user: string
  readonly password: string
  /** Three nodes with access control lists, which allow what no list is about, when there are such. */
  readonly listsBootstrap: string | undefined
}

/** Thrown by a toolchain for which a registry did not give what it needs: it is skipped by name. */
export class Unavailable extends Error {}

/** A foreign client with its cases. */
export interface Toolchain {
  /** Also the name to ask for it on the command line. */
  readonly name: string
  /** Why it cannot be run on this machine; undefined when it can. */
  missing(): string | undefined
  /**
   * Runs the cases whose name contains `only` and calls `line` with each line they print:
   * `PASS name milliseconds`, `FAIL name milliseconds: reason`, `SKIP name: reason`.
   */
  run(broker: BrokerUnderTest, only: string, line: (text: string) => void): Promise<void>
}
