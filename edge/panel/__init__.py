"""The panel of a zone: the door terminal with the guided register, and the monitor of the guard room."""
