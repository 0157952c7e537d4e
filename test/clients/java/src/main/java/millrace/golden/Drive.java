package millrace.golden;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.Map;

/**
 * Makes Apache Kafka's Java clients send every kind of request they have. For each line on standard
 * input, `name bootstrap-servers`, it goes through all of it once and prints `done name`: whoever
 * started it may change what the broker seems to support in between.
 *
 * Old protocol versions lack some calls, so a step that fails is told and passed over.
 */
public final class Drive {
    private final String bootstrap;
    private final String run;

    private Drive(String bootstrap, String run) {
        this.bootstrap = bootstrap;
        this.run = run;
    }

    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            String[] words = line.split(" ");
            Drive drive = new Drive(words[1], words[0]);
            if (words[0].startsWith("sasl")) new DriveSecurity(drive).all();
            else drive.all();
            System.out.println("done " + words[0]);
        }
        System.exit(0);
    }

    private void all() {
        DriveRecords records = new DriveRecords(this);
        DriveAdmin admin = new DriveAdmin(this);
        admin.createTopics();
        records.all();
        admin.all();
    }

    /** A step of the drive. */
    interface Step {
        void run() throws Exception;
    }

    void step(String name, Step step) {
        try {
            step.run();
        } catch (Throwable problem) {
            Throwable cause = problem.getCause() == null ? problem : problem.getCause();
            System.out.println("  " + run + ": " + name + ": " + cause);
        }
    }

    /** A name that no other run uses. */
    String name(String base) {
        return base + "-" + run;
    }

    /** Client configuration: short timeouts, since steps may be refused. */
    Map<String, Object> configuration(Object... more) {
        Map<String, Object> configuration = new java.util.HashMap<>();
        configuration.put("bootstrap.servers", bootstrap);
        configuration.put("client.id", "golden");
        configuration.put("request.timeout.ms", 3000);
        configuration.put("default.api.timeout.ms", 5000);
        configuration.put("enable.metrics.push", false);
        for (int i = 0; i < more.length; i += 2) configuration.put((String) more[i], more[i + 1]);
        return configuration;
    }
}
