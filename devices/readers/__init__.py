"""Card readers: on a secured OSDP bus or simulated."""
