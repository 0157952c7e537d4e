import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'
import { kafkaClassPath } from '../../test/kafka/kafka-jars.ts'
import type { Measurement, Task } from './task.ts'

/** Apache's own measuring tools, with the settings that make its client fast. */
export async function measureJava(bootstrap: string, task: Task): Promise<Measurement | undefined> {
  if (task.kind === 'produce') {
    const lines = await runTool('org.apache.kafka.tools.ProducerPerformance', [
      ...['--topic', task.topic, '--num-records', String(task.records)],
      ...['--record-size', String(task.valueBytes), '--throughput', '-1'],
      ...['--producer-props', `bootstrap.servers=${bootstrap}`, 'linger.ms=5'],
      ...['batch.size=131072', 'acks=all', 'enable.idempotence=true'],
    ])
    const match = /([\d.]+) records\/sec/.exec(
      lines.text.split('\n').findLast((line) => line.includes('99.9th')) ?? '',
    )
    return { rate: Number(match?.[1]), ...costs(lines, task.records) }
  }
  if (task.kind === 'consume') {
    const lines = await runTool('org.apache.kafka.tools.ConsumerPerformance', [
      ...['--bootstrap-server', bootstrap, '--topic', task.topic],
      ...['--messages', String(task.records), '--timeout', '60000', '--hide-header'],
    ])
    const cells =
      lines.text
        .trim()
        .split('\n')
        .findLast((line) => line.includes(','))
        ?.split(',') ?? []
    // The last figure leaves out the time of joining the group, as ours does.
    return { rate: Number(cells[9]), ...costs(lines, task.records) }
  }
  return undefined
}

interface ToolRun {
  readonly text: string
  readonly cpuSeconds: number
  readonly peakMb: number
}

function costs({ cpuSeconds, peakMb }: ToolRun, count: number) {
  return { cpuSecondsPerMillion: (cpuSeconds * 1e6) / count, peakMb }
}

async function runTool(mainClass: string, args: readonly string[]): Promise<ToolRun> {
  const classPath = await kafkaClassPath('4.1.1')
  const child = spawn('java', ['-Xmx512m', '-cp', classPath, mainClass, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let text = ''
  let cost = { cpuSeconds: 0, peakMb: 0 }
  const sampling = setInterval(() => (cost = costOf(child.pid ?? 0) ?? cost), 50)
  for await (const line of createInterface({ input: child.stdout })) text += `${line}\n`
  clearInterval(sampling)
  return { text, ...cost }
}

/** Processor time and peak memory of a process so far (Linux). */
function costOf(pid: number): { cpuSeconds: number; peakMb: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / 100,
      peakMb: Number(peak?.[1]) / 1024,
    }
  } catch {
    return undefined
  }
}
