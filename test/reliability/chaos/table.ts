import { clients } from './clients.ts'
import { readChaosFigures } from './figures.ts'
import type { ChaosFigures, RecordedTrial } from './figures.ts'
import { schedules } from './schedules.ts'

/** What `docs/reliability.md` says of clients under the same faults. */
export function chaosSection(figures: ChaosFigures = readChaosFigures()): string {
  const recipes = clients.map(({ name, title, recipe }) => `- **${name}**: ${title}, ${recipe}`)
  const faults = schedules.map(({ name, title }) => `- **${name}**: ${title}`)
  const head = ['', ...schedules.map(({ name }) => name)]
  const rows = clients.map(({ name }) => [
    `**${name}**`,
    ...schedules.map((schedule) => cellOf(figures[name]?.[schedule.name])),
  ])
  const commits = new Set(
    Object.values(figures).flatMap((trials) => Object.values(trials).map(({ commit }) => commit)),
  )
  return `## Beside other clients

Each does the same work by the recipe of its own documentation: numbered records with keys are read, worked on for 5 ms, and written to another topic,
by two workers on three nodes of Apache Kafka 4.1.1, 100 a second, with sessions of 4 s. A cell says what a reader of committed
records found: **missing · duplicated · out of order · seconds in which nothing came**. "Stuck" is nothing for a minute, when all faults
were over. One run each on one machine of two cores that had other work to do as well: a 0 means "not seen once", and seconds are no measure of speed.

${table([head, ...rows])}

${recipes.join('\n')}

The faults:

${faults.join('\n')}

Where recipes promise no more than "at least once", duplicates are no fault of theirs. \`npm run chaos -- --clients millrace --schedules kill,cut\` runs some of it
(it needs Java, and installs the clients that it compares with); the figures are of ${[...commits].sort().join(', ')}, recorded with \`--record\`.`
}

function cellOf(trial: RecordedTrial | undefined): string {
  if (trial === undefined) return 'not run'
  const { records, missing, duplicated, outOfOrder, stalledSeconds, isStuck } = trial
  const lost = missing > 0 ? `**${missing}** of ${records}` : '0'
  const counts = [lost, ...[duplicated, outOfOrder].map((each) => (each > 0 ? `**${each}**` : '0'))]
  return [...counts, isStuck ? '**stuck**' : `${stalledSeconds} s`].join(' · ')
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n')
}
