/**
 * Ends child processes and removes folders when this process is gone, however it went: the guard
 * is a shell that waits for the end of a pipe which only this process holds open. An exit hook
 * would not run after `kill -9`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Socket } from 'node:net'

const script = `
guarded=""
while read -r action pid; do
  case $action in
    add) guarded="$guarded $pid" ;;
    remove)
      kept=""
      for other in $guarded; do [ "$other" = "$pid" ] || kept="$kept $other"; done
      guarded=$kept ;;
  esac
done
for pid in $guarded; do kill -9 "$pid" 2>/dev/null; done
for folder in "$@"; do rm -rf "$folder"; done
`

/** Names the processes that must not outlive this one. */
export interface ProcessGuard {
  add(pid: number): void
  /** To be called as soon as a process is known to have ended: its id may be used again. */
  remove(pid: number): void
  /** Ends what is still guarded and removes the folders. */
  close(): Promise<void>
}

/** Starts a guard; `folders` are removed when it ends. */
export function startProcessGuard(folders: readonly string[]): ProcessGuard {
  const guard = spawn('/bin/sh', ['-c', script, 'process-guard', ...folders], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own: Ctrl-C must reach the tests, not the guard.
    detached: true,
  })
  guard.unref()
  const input = guard.stdin
  // A pipe to a child is a socket, which by itself would keep this process alive.
  if (input instanceof Socket) input.unref()
  return {
    add: (pid) => void input.write(`add ${pid}\n`),
    remove: (pid) => void input.write(`remove ${pid}\n`),
    async close() {
      const exited = once(guard, 'exit')
      guard.ref()
      input.end()
      await exited
    },
  }
}
