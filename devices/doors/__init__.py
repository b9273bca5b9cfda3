"""What a door is made of: lock, contact, button; on GPIO lines or simulated."""
