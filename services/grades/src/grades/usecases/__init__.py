"""One function, one transaction: facts, decision, rule, write, tell."""
