"""The domain, pure: no I/O, no clock, no threads. What a custody zone must do, and whether it did."""
