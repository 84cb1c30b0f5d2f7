"""Rules and values of marks. No input or output, no clock."""
