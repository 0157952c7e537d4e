/** Writes a line for whoever watches this process. That nobody does any more is not an error. */
export function writeStandardError(line: string): void {
  // Not `process.stderr.write`: where the reader of a pipe has gone, that ends the process.
  // eslint-disable-next-line no-console
  console.error('%s', line)
}
