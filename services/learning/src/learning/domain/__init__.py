"""Rules and values of learning. Pure: no clock, no database, no framework."""
