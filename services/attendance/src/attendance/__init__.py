"""出欠: lesson days, closures, daily marks and their sums. Follows roster's events."""
