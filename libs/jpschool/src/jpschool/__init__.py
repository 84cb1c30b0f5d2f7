"""School values of Japan: what every service means by a school year, a code, a kana key or a 和暦 date.

Pure: no I/O, no clock (pass the day), no dependencies.
"""
