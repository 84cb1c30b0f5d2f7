"""What people and tools do with learning data: one function, one transaction."""
