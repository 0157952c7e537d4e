import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
// #region acl
import { createClient } from '../src/client/index.ts'
import { startBroker } from '../src/testing/index.ts'
import { expect, it } from 'vitest'

const users = { admin: 'let-me-in', billing: 'wonderland' }

it('lets billing read orders, and nothing else', async () => {
  await using kafka = await startBroker({ users, authorizer: { superUsers: ['User:admin'] } })
  await kafka.createTopic('orders')
  await kafka.createTopic('salaries')

  const as = (username: keyof typeof users) =>
    createClient({
      brokers: kafka.bootstrap,
      sasl: { mechanism: 'SCRAM-SHA-256', credentials: { username, password: users[username] } },
    })
  await using admin = as('admin')
  await admin.admin().acls.createMany([
    {
      resourceType: 'topic',
      resourceName: 'orders',
      principal: 'User:billing',
      operation: 'read',
      permission: 'allow',
    },
  ])
  await using billing = as('billing')
  const topics = await billing.admin().topics.list()
  expect(topics.map(({ name }) => name)).toEqual(['orders'])
  await using producer = billing.producer()
  await expect(producer.send({ topic: 'orders', value: 'x' })).rejects.toThrow(/AUTHORIZATION/)
})
// #endregion
// #region oauth
import { createHmac } from 'node:crypto'

const secret = 'at least thirty-two bytes for tests'

/** What an identity provider would issue. */
function issueToken(user: string, lifetimeMs: number) {
  const now = Date.now()
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { sub: user, aud: 'kafka', iat: now / 1000, exp: (now + lifetimeMs) / 1000 }
  const signed = `${encode({ alg: 'HS256' })}.${encode(claims)}`
  const signature = createHmac('sha256', secret).update(signed).digest('base64url')
  return { value: `${signed}.${signature}`, expiresAtMs: now + lifetimeMs }
}

it('logs in with a token, and again before it expires', async () => {
  const oauth = { secrets: [secret], audience: 'kafka' }
  await using kafka = await startBroker({ oauth, recordRequests: true })
  await kafka.createTopic('orders')
  await using client = createClient({
    brokers: kafka.bootstrap,
    sasl: {
      mechanism: 'OAUTHBEARER',
      token: () => issueToken('billing', 2_000),
      allowWithoutTls: true,
    },
  })
  await using producer = client.producer()
  await producer.send({ topic: 'orders', value: 'x' })
  const logins = () => kafka.requests('SaslAuthenticate').length
  const atFirst = logins()
  await expect.poll(logins).toBeGreaterThan(atFirst)
  await producer.send({ topic: 'orders', value: 'y' })
})
// #endregion
// #region certificates
const pem = (name: string) =>
  readFileSync(new URL(`../src/platform/fixture/${name}`, import.meta.url), 'utf8')

it('knows a client by its certificate', async () => {
  await using kafka = await startBroker({
    tls: {
      certificate: pem('server.pem'),
      privateKey: pem('server.key'),
      authorities: [pem('authority.pem')],
      clientCertificate: 'required',
    },
    // CN=shipping service,… is User:shipping service
    principalMappingRules: 'RULE:^.*CN=([a-z ]+).*$/$1/',
    authorizer: { superUsers: ['User:shipping service'] },
  })
  await using client = createClient({
    brokers: kafka.bootstrap,
    tls: {
      authorities: [pem('authority.pem')],
      serverName: 'broker.test',
      certificate: pem('client.pem'),
      privateKey: pem('client-encrypted.key'),
      passphrase: 'secret',
    },
  })
  await client.admin().topics.create({ name: 'orders' })
})
// #endregion

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
const guide = read('docs/guides/broker-security.md')

/** The code above as a reader writes it. */
function regions(): string[] {
  const code = read('test/broker-security-guide.test.ts')
    .replaceAll("'../src/client/index.ts'", "'millrace/client'")
    .replaceAll("'../src/testing/index.ts'", "'millrace/testing'")
  return [...code.matchAll(/^\/\/ #region \w+\n(.*?)^\/\/ #endregion$/gms)].map(
    ([, body = '']) => body,
  )
}

it('the guide has the code that runs here, and no other', () => {
  const blocks = [...guide.matchAll(/```ts\n(.*?)```/gs)].map(([, body = '']) => body)
  expect(blocks.length).toBeGreaterThan(2)
  expect(blocks).toEqual(regions())
})

it('every command of the guide starts', { timeout: 60_000 }, async () => {
  const commands = [...guide.matchAll(/```sh\n(.*?)```/gs)]
    .flatMap(([, body = '']) => body.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.startsWith('npx millrace broker'))
  expect(commands.length).toBeGreaterThan(4)
  const folder = mkdtempSync(join(tmpdir(), 'millrace-guide-'))
  try {
    writeFileSync(join(folder, 'users.txt'), 'admin:let-me-in\nbilling:wonderland\n')
    writeFileSync(join(folder, 'jwks.json'), jwksOf('at least thirty-two bytes for tests'))
    for (const [name, file] of Object.entries(certificateFiles)) {
      writeFileSync(join(folder, name), pem(file))
    }
    for (const command of commands) {
      const words = wordsOf(command.replace('npx millrace ', ''))
      const main = new URL('../src/cli/main.ts', import.meta.url).href
      const program = `const { main } = await import(${JSON.stringify(main)})
        process.stdout.on('pipe', () => undefined)
        const write = process.stdout.write.bind(process.stdout)
        process.stdout.write = (text) => {
          write(text)
          if (String(text).startsWith('listening')) process.exit(0)
        }
        await main(${JSON.stringify([...words, '--port', '0'])})`
      const tsx = new URL('../node_modules/tsx/dist/loader.mjs', import.meta.url).href
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--import', tsx, '--input-type=module', '--eval', program],
        { cwd: folder },
      )
      expect([command, stdout]).toEqual([command, expect.stringMatching(/^listening on/m)])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

const certificateFiles = {
  'cert.pem': 'server.pem',
  'key.pem': 'server.key',
  'clients.pem': 'authority.pem',
}

function jwksOf(text: string): string {
  const k = Buffer.from(text).toString('base64url')
  return JSON.stringify({ keys: [{ kty: 'oct', k, kid: 'test', alg: 'HS256' }] })
}

/** Splits as a shell does, as far as the guide needs it. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = '']) => quoted ?? plain)
}
