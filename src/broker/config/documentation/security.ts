import type { BrokerPropertyName } from '../synonyms.ts'

/** What the properties of listeners and security say, for DescribeConfigs. */
export const securityDocumentation = {
  'advertised.listeners': 'The addresses that clients and other brokers are told to connect to.',
  'authorizer.class.name': 'The class that decides who may do what.',
  'connection.failed.authentication.delay.ms':
    'How long a connection stays open after its login was refused.',
  'connections.max.reauth.ms':
    'How long a login holds before the client must log in again; 0 is for ever.',
  'controller.listener.names': 'The listeners of the controller.',
  'delegation.token.expiry.check.interval.ms': 'How often expired delegation tokens are deleted.',
  'delegation.token.expiry.time.ms': 'How long a delegation token holds unless it is renewed.',
  'delegation.token.max.lifetime.ms': 'How long a delegation token can be renewed.',
  'delegation.token.secret.key': 'The secret by which delegation tokens are made and checked.',
  'early.start.listeners': 'The listeners that open before the broker has read all it has to read.',
  'inter.broker.listener.name': 'The listener by which brokers reach one another.',
  'listener.security.protocol.map': 'Which protocol each listener speaks.',
  listeners: 'The addresses to listen on.',
  'principal.builder.class': 'The class that makes a name for who has logged in.',
  'sasl.client.callback.handler.class': 'The class that a SASL client asks for what it needs.',
  'sasl.enabled.mechanisms': 'The SASL mechanisms that clients may choose.',
  'sasl.jaas.config': 'Login settings for SASL, as JAAS writes them.',
  'sasl.kerberos.kinit.cmd': 'Where the command kinit is.',
  'sasl.kerberos.min.time.before.relogin': 'The shortest time between two Kerberos logins.',
  'sasl.kerberos.principal.to.local.rules': 'How names of Kerberos become names of users.',
  'sasl.kerberos.service.name': 'The Kerberos name of the broker.',
  'sasl.kerberos.ticket.renew.jitter':
    'By which part, at random, the time of renewing a Kerberos ticket is changed.',
  'sasl.kerberos.ticket.renew.window.factor':
    'After which part of its time a Kerberos ticket is renewed.',
  'sasl.login.callback.handler.class': 'The class that a SASL login asks for what it needs.',
  'sasl.login.class': 'The class that logs in.',
  'sasl.login.connect.timeout.ms': 'How long connecting to an outside login service may take.',
  'sasl.login.read.timeout.ms': 'How long an outside login service may take to answer.',
  'sasl.login.refresh.buffer.seconds':
    'How long before it expires a login is renewed at the latest.',
  'sasl.login.refresh.min.period.seconds': 'The shortest time between two renewals of a login.',
  'sasl.login.refresh.window.factor': 'After which part of its time a login is renewed.',
  'sasl.login.refresh.window.jitter':
    'By which part, at random, the time of renewing a login is changed.',
  'sasl.login.retry.backoff.max.ms':
    'The longest time between two tries to reach an outside login service.',
  'sasl.login.retry.backoff.ms': 'The time before an outside login service is tried again.',
  'sasl.mechanism.controller.protocol': 'The SASL mechanism for talking to the controller.',
  'sasl.mechanism.inter.broker.protocol': 'The SASL mechanism of brokers among themselves.',
  'sasl.oauthbearer.assertion.algorithm': 'The algorithm by which an assertion is signed.',
  'sasl.oauthbearer.assertion.claim.aud': 'The audience that an assertion names.',
  'sasl.oauthbearer.assertion.claim.exp.seconds': 'How many seconds an assertion holds.',
  'sasl.oauthbearer.assertion.claim.iss': 'The issuer that an assertion names.',
  'sasl.oauthbearer.assertion.claim.jti.include': 'Whether an assertion has an id of its own.',
  'sasl.oauthbearer.assertion.claim.nbf.seconds':
    'How many seconds before it was made an assertion begins to hold.',
  'sasl.oauthbearer.assertion.claim.sub': 'The subject that an assertion names.',
  'sasl.oauthbearer.assertion.file': 'A file with an assertion that is ready to use.',
  'sasl.oauthbearer.assertion.private.key.file': 'The file with the key that signs assertions.',
  'sasl.oauthbearer.assertion.private.key.passphrase':
    'The passphrase of the key that signs assertions.',
  'sasl.oauthbearer.assertion.template.file':
    'A file with the parts of an assertion that are always the same.',
  'sasl.oauthbearer.client.credentials.client.id': 'The id by which a token is asked for.',
  'sasl.oauthbearer.client.credentials.client.secret': 'The secret by which a token is asked for.',
  'sasl.oauthbearer.clock.skew.seconds':
    'By how many seconds the clocks of broker and token service may differ.',
  'sasl.oauthbearer.expected.audience': 'The audiences of which a token must name one.',
  'sasl.oauthbearer.expected.issuer': 'The issuer that a token must name.',
  'sasl.oauthbearer.jwks.endpoint.refresh.ms': 'How often the keys that check tokens are read.',
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms':
    'The longest time between two tries to read the keys that check tokens.',
  'sasl.oauthbearer.jwks.endpoint.retry.backoff.ms':
    'The time before reading the keys that check tokens is tried again.',
  'sasl.oauthbearer.jwks.endpoint.url': 'Where the keys that check tokens are read.',
  'sasl.oauthbearer.jwt.retriever.class': 'The class that gets tokens.',
  'sasl.oauthbearer.jwt.validator.class': 'The class that checks tokens.',
  'sasl.oauthbearer.scope': 'The scope that a token is asked for.',
  'sasl.oauthbearer.scope.claim.name': 'The claim of a token that names its scope.',
  'sasl.oauthbearer.sub.claim.name': 'The claim of a token that names its subject.',
  'sasl.oauthbearer.token.endpoint.url': 'Where tokens are asked for.',
  'sasl.server.callback.handler.class': 'The class that a SASL server asks for what it needs.',
  'sasl.server.max.receive.size': 'How large a message may be before its sender has logged in.',
  'security.inter.broker.protocol': 'The protocol of brokers among themselves.',
  'security.providers': 'Classes that bring algorithms of security.',
  'ssl.allow.dn.changes':
    'Whether the name in the certificate may change when a key store is replaced.',
  'ssl.allow.san.changes':
    'Whether the other names in the certificate may change when a key store is replaced.',
  'ssl.cipher.suites': 'The cipher suites that TLS may use; empty leaves it to TLS.',
  'ssl.client.auth': 'Whether clients are asked for a certificate, and must have one.',
  'ssl.enabled.protocols': 'The versions of TLS that may be used.',
  'ssl.endpoint.identification.algorithm':
    'How the name in a certificate is compared with the host; empty does not compare.',
  'ssl.engine.factory.class': 'The class that makes TLS connections.',
  'ssl.key.password': 'The password of the private key.',
  'ssl.keymanager.algorithm': 'The algorithm that chooses a key.',
  'ssl.keystore.certificate.chain': 'The certificates that prove the private key.',
  'ssl.keystore.key': 'The private key.',
  'ssl.keystore.location': 'The file with the private key and its certificates.',
  'ssl.keystore.password': 'The password of that file.',
  'ssl.keystore.type': 'The form of that file.',
  'ssl.principal.mapping.rules': 'How names in certificates become names of users.',
  'ssl.protocol': 'The version of TLS to begin with.',
  'ssl.provider': 'Who brings the implementation of TLS.',
  'ssl.secure.random.implementation': 'Where TLS gets its random numbers.',
  'ssl.trustmanager.algorithm': 'The algorithm that checks certificates.',
  'ssl.truststore.certificates': 'The certificates that are trusted.',
  'ssl.truststore.location': 'The file with the certificates that are trusted.',
  'ssl.truststore.password': 'The password of that file.',
  'ssl.truststore.type': 'The form of that file.',
} as const satisfies Partial<Record<BrokerPropertyName, string>>
