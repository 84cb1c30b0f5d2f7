"""Rules and values of the exchange: pure, no clock, no file, no network."""
