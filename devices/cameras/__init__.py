"""Cameras: one interface, real streams over RTSP, a simulated twin, and the judgement of what they show."""
