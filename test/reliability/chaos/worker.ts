/** A process that does the work with one of the clients; `RECIPE` and `TASK` say which and what. */
import type { Recipe, RecipeTask } from './recipe.ts'

const recipes: Readonly<Record<string, () => Promise<Recipe>>> = {
  millrace: async () => (await import('./recipe/millrace.ts')).recipe,
  'kafkajs-each-message': async () => (await import('./recipe/kafkajs.ts')).eachMessage,
  'kafkajs-transactions': async () => (await import('./recipe/kafkajs.ts')).transactions,
  platformatic: async () => (await import('./recipe/platformatic.ts')).recipe,
  confluent: async () => (await import('./recipe/confluent.ts')).recipe,
}

const { RECIPE: name = '', TASK: task = '' } = process.env
const load = recipes[name]
if (load === undefined) throw new Error(`there is no recipe '${name}'`)
const recipe = await load()
await recipe(JSON.parse(task) as RecipeTask)
