"""The camera process: watches and records every camera of the zone, and audits what is stored."""
