"""What every error of ours has in common."""

from __future__ import annotations


class FourmustsError(Exception):
    """Anything that a person can meet and mend: its text says what is wrong, where, and what to do.

    A command that ends with one prints the text alone; any other exception is a fault of ours and keeps its trace.
    """
