"""What people do with attendance: one function, one transaction."""
