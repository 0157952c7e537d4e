package millrace.cases;

import java.util.ArrayList;
import java.util.List;

/**
 * Runs the cases against a broker and prints one line for each:
 * `PASS name milliseconds`, `FAIL name milliseconds: reason` or `SKIP name: reason`.
 *
 * Usage: Main bootstrap-servers [--only text] [--sasl address] [--tls address] [--ca file.pem]
 *        [--user name --password word] [--transcript file]
 *
 * The transcript has what every command line tool printed: that of two brokers can be compared.
 */
public final class Main {
    public static void main(String[] arguments) throws Exception {
        String only = option(arguments, "--only", "");
        Security security = new Security(
            option(arguments, "--sasl", null), option(arguments, "--tls", null), option(arguments, "--ca", null),
            option(arguments, "--user", null), option(arguments, "--password", null));
        Suite suite = new Suite(arguments[0], security, only);
        // What the suite prints goes to System.out as it was when the suite was made; tools get another one.
        String transcript = option(arguments, "--transcript", null);
        if (transcript != null) Tool.keepTranscript(transcript);
        ProducerCases.addTo(suite);
        TransactionCases.addTo(suite);
        ConsumerCases.addTo(suite);
        GroupCases.addTo(suite);
        ExactlyOnceCases.addTo(suite);
        TopicAdminCases.addTo(suite);
        ConfigAdminCases.addTo(suite);
        GroupAdminCases.addTo(suite);
        TransactionAdminCases.addTo(suite);
        ClusterAdminCases.addTo(suite);
        SecurityCases.addTo(suite);
        StreamsCases.addTo(suite);
        StreamsJoinCases.addTo(suite);
        StreamsWindowCases.addTo(suite);
        ToolCases.addTo(suite);
        GroupToolCases.addTo(suite);
        ShareCases.addTo(suite);
        AdminToolCases.addTo(suite);
        boolean passed = suite.run();
        // Clients of a case that was given up may still have threads.
        System.out.flush();
        Runtime.getRuntime().halt(passed ? 0 : 1);
    }

    private static String option(String[] arguments, String name, String otherwise) {
        List<String> all = new ArrayList<>(List.of(arguments));
        int at = all.indexOf(name);
        return at < 0 ? otherwise : all.get(at + 1);
    }

    private Main() {}
}
