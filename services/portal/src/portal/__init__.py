"""Staff web pages: sign-in, sessions, and one router per feature in `portal.pages`. Holds no school data of its own."""
