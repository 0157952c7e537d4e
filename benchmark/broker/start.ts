import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startBrokerProcess } from './process.ts'

/** A whole process that does nothing: what any command of Node costs. */
export async function bareNodeStartMs(): Promise<number> {
  const started = performance.now()
  await once(spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' }), 'exit')
  return performance.now() - started
}

export async function shellStartMs(): Promise<number> {
  await using broker = await startBrokerProcess()
  return broker.startMs
}

/** The second start in a fresh process: the first also loads the code. */
export async function inProcessStartMs(): Promise<number> {
  const entry = fileURLToPath(new URL('../../dist/broker/index.js', import.meta.url))
  const script = `
    const { startBroker } = await import(${JSON.stringify(entry)})
    await (await startBroker()).close()
    const started = performance.now()
    const broker = await startBroker()
    console.log(performance.now() - started)
    await broker.close()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout) text += String(chunk)
  return Number(text)
}
