"""The local stack: PostgreSQL, NATS JetStream, Keycloak and every service on one machine, from packages."""
