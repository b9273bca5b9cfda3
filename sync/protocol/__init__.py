"""The state machines of both ends of the road to headquarters: no socket, no thread, no clock of their own."""
