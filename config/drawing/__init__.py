"""Drawings of stays, made on the server as SVG, in Chinese and English."""

from .stay import Links, draw

__all__ = ["Links", "draw"]
