import { pathToFileURL } from 'node:url'

/** Loads a package from where the peers are installed. */
export async function loadPeer(folder: string, name: string): Promise<unknown> {
  const { href } = pathToFileURL(`${folder}/load-peer.mjs`)
  return ((await import(href)) as { loadPeer: (name: string) => Promise<unknown> }).loadPeer(name)
}
