"""Commands that need neither a database nor a network: checking a package, keeping the directory of a local stack."""
