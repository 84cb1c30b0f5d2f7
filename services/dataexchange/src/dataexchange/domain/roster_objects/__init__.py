"""The roster as OneRoster 1.2 objects: sources as the register told them, and what is made of them."""
