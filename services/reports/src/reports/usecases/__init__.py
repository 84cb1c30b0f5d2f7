"""One module per noun; one function is one transaction."""
