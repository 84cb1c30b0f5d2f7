"""What people do with the register: one function, one transaction."""
