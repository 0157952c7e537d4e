package millrace.cases;

/** Thrown by a case that does not apply to this broker or these clients. */
final class Skipped extends RuntimeException {
    Skipped(String reason) {
        super(reason);
    }
}
