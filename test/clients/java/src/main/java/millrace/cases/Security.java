package millrace.cases;

/** Where a broker listens with SASL and TLS, and who may log in; null where it does not. */
record Security(String saslBootstrap, String tlsBootstrap, String authorityFile, String user, String password) {}
