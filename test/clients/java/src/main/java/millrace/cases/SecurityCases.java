package millrace.cases;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;

/** Logins and encryption, on brokers that were started with them. */
final class SecurityCases {
    static void addTo(Suite suite) {
        Security security = suite.security();
        for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")) {
            suite.add("security: " + mechanism + " logs in, and lets records through", cluster -> login(cluster, security, mechanism));
            suite.add("security: " + mechanism + " refuses a wrong password", cluster -> wrongPassword(security, mechanism));
            suite.add("security: " + mechanism + " refuses an unknown user", cluster -> unknownUser(security, mechanism));
        }
        suite.add("security: without a login a connection is of no use", cluster -> noLogin(security));
        suite.add("security: TLS lets records through", cluster -> tls(cluster, security));
        suite.add("security: a certificate of nobody known is refused", cluster -> unknownAuthority(security));
    }

    private static void needSasl(Security security) {
        if (security.saslBootstrap() == null) throw new Skipped("no listener with logins was given (--sasl)");
    }

    private static void needTls(Security security) {
        if (security.tlsBootstrap() == null) throw new Skipped("no listener with TLS was given (--tls)");
    }

    private static Object[] settings(Security security, String mechanism, String user, String password, Object... more) {
        String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
        List<Object> settings = new ArrayList<>(List.of(
            "security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", mechanism,
            "sasl.jaas.config", "org.apache.kafka.common.security." + module
                + " required username=\"" + user + "\" password=\"" + password + "\";"));
        settings.addAll(List.of(more));
        return settings.toArray();
    }

    private static void login(Cluster ignored, Security security, String mechanism) throws Exception {
        needSasl(security);
        try (Cluster cluster = new Cluster(security.saslBootstrap())) {
            Object[] settings = settings(security, mechanism, security.user(), security.password());
            exchange(cluster, settings);
        }
    }

    /** Creates a topic, sends records and reads them, all with these settings. */
    private static void exchange(Cluster cluster, Object[] settings) throws Exception {
        String topic = Cluster.name("topic");
        try (Admin admin = Admin.create(cluster.configuration(settings))) {
            admin.createTopics(List.of(new org.apache.kafka.clients.admin.NewTopic(topic, 2, (short) 1))).all().get();
        }
        KafkaProducer<String, String> producer = cluster.producer(settings);
        for (int i = 0; i < 100; i++) producer.send(new ProducerRecord<>(topic, "key-" + i, "value"));
        producer.flush();
        Check.equal(100, cluster.readAll(topic, settings).size(), "records");
    }

    private static void refuses(Security security, String mechanism, String user, String password) throws Exception {
        needSasl(security);
        try (Cluster cluster = new Cluster(security.saslBootstrap());
                Admin admin = Admin.create(cluster.configuration(settings(security, mechanism, user, password)))) {
            Check.fails(SaslAuthenticationException.class, () -> admin.describeCluster().nodes().get());
        }
    }

    private static void wrongPassword(Security security, String mechanism) throws Exception {
        refuses(security, mechanism, security.user(), "wrong");
    }

    private static void unknownUser(Security security, String mechanism) throws Exception {
        refuses(security, mechanism, "nobody", security.password());
    }

    private static void noLogin(Security security) throws Exception {
        needSasl(security);
        try (Cluster cluster = new Cluster(security.saslBootstrap());
                Admin admin = Admin.create(cluster.configuration("default.api.timeout.ms", 2000, "request.timeout.ms", 1000))) {
            Check.fails(org.apache.kafka.common.KafkaException.class, () -> admin.describeCluster().nodes().get());
        }
    }

    private static Object[] tlsSettings(Security security) {
        return new Object[] {"security.protocol", "SSL", "ssl.truststore.type", "PEM",
            "ssl.truststore.location", security.authorityFile()};
    }

    private static void tls(Cluster ignored, Security security) throws Exception {
        needTls(security);
        try (Cluster cluster = new Cluster(security.tlsBootstrap())) {
            exchange(cluster, tlsSettings(security));
        }
    }

    private static void unknownAuthority(Security security) throws Exception {
        needTls(security);
        try (Cluster cluster = new Cluster(security.tlsBootstrap());
                Admin admin = Admin.create(cluster.configuration("security.protocol", "SSL"))) {
            Check.fails(SslAuthenticationException.class, () -> admin.describeCluster().nodes().get());
        }
    }

    private SecurityCases() {}
}
