"""Invented boards of みらい県, made the same way every time, for people who try the product and for its tests."""
