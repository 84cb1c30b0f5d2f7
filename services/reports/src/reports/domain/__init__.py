"""Rules and values of 帳票: pure."""
