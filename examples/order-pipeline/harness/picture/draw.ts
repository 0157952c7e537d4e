/** Draws `docs/order-pipeline.svg`: what the live view shows while services and the broker are killed, and what the account says in the end. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { svgOf } from './svg.ts'
import { TerminalPicture } from './terminal-picture.ts'
import type { Span } from './terminal-picture.ts'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const file = fileURLToPath(new URL('../../../../docs/order-pipeline.svg', import.meta.url))
const columns = 118
/** Of the time that the shop is open, when the picture is taken. */
const takenAfter = 0.8
const asked = '--for 30s --rate 200 --chaos'
const options = [...asked.split(' '), '--live']

const child = spawn(process.execPath, ['--import', 'tsx', main, ...options], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, NO_COLOR: '' },
})
let text = ''
child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
const code = await new Promise((resolve) => child.once('close', resolve))
if (code !== 0) throw new Error(`the pipeline ended with ${String(code)}: ${text}`)

const frames = text.split(/(?=\u001B\[\?2026h)/u)
const open = frames.filter((frame) => frame.includes('the shop is open'))
const taken = showing(open.slice(0, Math.ceil(open.length * takenAfter)).join(''))
const command: Span = { style: '1', text: `$ npm start -- ${asked}` }
const account = showing(text).slice(-8).map(cut)
writeFileSync(
  file,
  svgOf(
    [[command], [], ...taken, [], [{ style: '2', text: '… and in the end' }], ...account],
    columns,
    'The order pipeline while services and the broker are killed',
  ),
)

function showing(written: string): readonly (readonly Span[])[] {
  const picture = new TerminalPicture()
  picture.write(written)
  return picture.spans
}

/** What a terminal would go on with in the next line is left out. */
function cut(row: readonly Span[]): readonly Span[] {
  const whole = row.map((span) => span.text).join('')
  return whole.length <= columns ? row : [{ style: '', text: `${whole.slice(0, columns - 1)}…` }]
}
