"""The tables: `measure(meter)` of each module gives what it measured, and the names of those who are absent."""
