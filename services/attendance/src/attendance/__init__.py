"""出欠: lesson days, closures, daily marks and their sums. Owns its data; learns classes and duties from roster's events."""
