import { isMillraceError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { describeOptions, parseArguments } from './arguments.ts'
import { brokerCommand } from './broker.ts'
import type { Command } from './command.ts'

const commands: readonly Command[] = [brokerCommand]

const helpOption = { name: 'help', help: 'Show this text.' }

/** Runs a command line. Mistakes of the user end with exit code 2 and one line that says what to change. */
export async function main(words: readonly string[]): Promise<void> {
  const [name, ...rest] = words
  if (name === undefined || name === '--help' || name === 'help') {
    print(describeCommands())
    return
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    fail(unknownCommand(name), 2)
    return
  }
  try {
    const given = parseArguments(rest, [...command.options, helpOption])
    if (given.has('help')) {
      print(describeCommand(command))
      return
    }
    await command.run(given)
  } catch (error) {
    if (!isMillraceError(error)) throw error
    fail(`millrace ${name}: ${error.message}`, error.code === 'MILLRACE_OPTION_INVALID' ? 2 : 1)
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function fail(text: string, exitCode: number): void {
  process.stderr.write(`${text}\n`)
  process.exitCode = exitCode
}

function unknownCommand(name: string): string {
  const meant = nearest(
    name,
    commands.map((command) => command.name),
  )
  const hint = meant === undefined ? 'see millrace --help' : `did you mean '${meant}'?`
  return `millrace: '${name}' is not a command; ${hint}`
}

function describeCommands(): string {
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`)
  return [
    'Usage: millrace COMMAND [OPTION]...',
    '',
    ...lines,
    '',
    'millrace COMMAND --help says more.',
  ].join('\n')
}

function describeCommand(command: Command): string {
  return [
    `Usage: millrace ${command.name} [OPTION]...`,
    '',
    command.summary,
    '',
    describeOptions([...command.options, helpOption]),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n')
}
