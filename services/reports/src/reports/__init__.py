"""帳票: standardized forms, print jobs and the archive of what was issued."""
