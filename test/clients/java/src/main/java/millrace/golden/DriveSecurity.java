package millrace.golden;

import java.util.List;
import org.apache.kafka.clients.admin.Admin;

/** What a login sends. The user is alice, her password wonderland. */
final class DriveSecurity {
    private final Drive drive;

    DriveSecurity(Drive drive) {
        this.drive = drive;
    }

    void all() {
        for (String mechanism : List.of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "NONE")) {
            for (String password : List.of("wonderland", "wrong")) {
                drive.step(mechanism + ", " + password, () -> login(mechanism, password));
            }
        }
    }

    private void login(String mechanism, String password) throws Exception {
        String module = mechanism.startsWith("SCRAM") ? "scram.ScramLoginModule" : "plain.PlainLoginModule";
        String jaas = "org.apache.kafka.common.security." + module
            + " required username=\"alice\" password=\"" + password + "\";";
        try (Admin admin = Admin.create(drive.configuration("security.protocol", "SASL_PLAINTEXT",
                "sasl.mechanism", mechanism.equals("NONE") ? "OAUTHBEARER" : mechanism, "sasl.jaas.config", jaas))) {
            admin.describeCluster().nodes().get();
        }
    }
}
