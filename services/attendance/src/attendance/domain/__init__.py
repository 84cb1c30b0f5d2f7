"""Rules and values of attendance. Pure: no clock, no database, no framework."""
