"""The door process: the access decision, the doors' states, and the only hands on the locks."""
