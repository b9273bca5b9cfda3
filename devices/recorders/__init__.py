"""Recorders: what holds the pictures. The local one writes them itself; others are only asked what they hold."""
